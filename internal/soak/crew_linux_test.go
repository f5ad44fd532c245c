package soak_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

// life is that of the tokens. They are renewed after half of it.
const life = 8 * time.Second

// A crew is the processes that share one token: sharers, which are the command, and askers.
type crew struct {
	t       *testing.T
	program string // the command
	place   string // the store, as the command names it
	dir     string

	service *identity.Server
	url     string // of the token endpoint

	mu      sync.Mutex // guards the fields below
	secret  string     // what the service accepts
	procs   map[*process]bool
	broken  []string
	said    []string // what the processes have logged last
	started int      // tokens that askers had
	faults  map[string]int

	readers sync.WaitGroup
}

// A process is one of a crew.
type process struct {
	cmd     *exec.Cmd
	sharer  bool
	ended   chan struct{}
	reading sync.Mutex // held while a line of its log is read, or while nobody may read it
}

func newCrew(t *testing.T, program, place string) *crew {
	t.Helper()
	service, err := identity.New(identity.Options{
		Clients: []identity.Client{{ID: clientID, Secret: shsession.NewSecret("inner")}}, Lifetime: life,
	})
	if err != nil {
		t.Fatal(err)
	}
	c := &crew{t: t, program: program, place: place, dir: t.TempDir(), service: service, procs: map[*process]bool{}, faults: map[string]int{}}
	c.rotate()
	server := httptest.NewServer(http.HandlerFunc(c.serve))
	c.url = server.URL + "/auth/realms/main/protocol/openid-connect/token"
	t.Cleanup(func() {
		for _, p := range c.all() {
			p.signal(syscall.SIGCONT)
			p.signal(syscall.SIGKILL)
		}
		c.readers.Wait()
		server.Close()
	})
	return c
}

// serve logs in whoever has the secret of the day.
func (c *crew) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		http.Error(w, "no form", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	if form.Get("client_secret") == c.secret {
		form.Set("client_secret", "inner")
	}
	c.mu.Unlock()
	r.Body = io.NopCloser(strings.NewReader(form.Encode()))
	r.ContentLength = int64(len(form.Encode()))
	c.service.ServeHTTP(w, r)
}

func (c *crew) secretFile() string { return filepath.Join(c.dir, "secret") }

// rotate gives the client a new secret, at the service and in the file.
func (c *crew) rotate() {
	secret := fmt.Sprintf("secret-%d", rand.Uint64())
	c.mu.Lock()
	defer c.mu.Unlock()
	fresh := filepath.Join(c.dir, "new")
	if err := os.WriteFile(fresh, []byte(secret+"\n"), 0o600); err != nil {
		c.t.Error(err)
	}
	if err := os.Rename(fresh, c.secretFile()); err != nil {
		c.t.Error(err)
	}
	c.secret = secret
}

// start starts a sharer or an asker.
func (c *crew) start(sharer bool) *process {
	cmd := exec.Command(os.Args[0])
	if sharer {
		cmd = exec.Command(c.program, "share", "--to", c.place)
	}
	cmd.Env = append(os.Environ(), "HOME="+c.dir, "XDG_CONFIG_HOME="+c.dir, "SH_CLIENT_ID="+clientID,
		"SH_CLIENT_SECRET_FILE="+c.secretFile(), "SH_TOKEN_URL="+c.url, "SHSESSION_STORE_KEY=client-secret")
	if !sharer {
		cmd.Env = append(cmd.Env, askEnv+"="+c.place)
	}
	log, written, err := os.Pipe()
	if err != nil {
		c.t.Error(err)
		return nil
	}
	cmd.Stderr = written
	if !sharer {
		cmd.Stdout = written
	}
	if err := cmd.Start(); err != nil {
		c.t.Error(err)
		return nil
	}
	p := &process{cmd: cmd, sharer: sharer, ended: make(chan struct{})}
	c.mu.Lock()
	c.procs[p] = true
	c.mu.Unlock()
	written.Close()
	c.readers.Go(func() { c.read(p, log) })
	c.readers.Go(func() {
		_ = cmd.Wait() // it is killed
		close(p.ended)
		c.mu.Lock()
		delete(c.procs, p)
		c.mu.Unlock()
	})
	return p
}

// supervise starts what a crew lacks until ctx is done, as systemd does: what was killed, and
// what has refused to start beside what it found.
func (c *crew) supervise(ctx context.Context) {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		running := map[bool]int{}
		for _, p := range c.all() {
			running[p.sharer]++
		}
		for range sharers - running[true] {
			c.start(true)
		}
		for range askers - running[false] {
			c.start(false)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// read reads a process's log.
func (c *crew) read(p *process, log *os.File) {
	defer log.Close()
	for lines := bufio.NewScanner(log); lines.Scan(); {
		p.reading.Lock()
		line := lines.Text()
		c.mu.Lock()
		if line != "" { // what fills a log
			c.said = append(c.said[max(0, len(c.said)-60):], fmt.Sprintf("%v, process %d: %s", time.Now().Format("15:04:05.000"), p.cmd.Process.Pid, line))
		}
		switch {
		case line == "token":
			c.started++
		case strings.HasPrefix(line, "broken:"), strings.HasPrefix(line, "panic:"), strings.Contains(line, "DATA RACE"):
			c.broken = append(c.broken, fmt.Sprintf("%v, process %d: %s", time.Now().Format("15:04:05.000"), p.cmd.Process.Pid, line))
		}
		c.mu.Unlock()
		p.reading.Unlock()
	}
}

func (p *process) signal(sig os.Signal) { _ = p.cmd.Process.Signal(sig) } // it may have ended

// all returns the processes that run.
func (c *crew) all() []*process {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*process, 0, len(c.procs))
	for p := range c.procs {
		all = append(all, p)
	}
	return all
}

// some returns one of the processes that run, a sharer or an asker.
func (c *crew) some(sharer bool) *process {
	var fit []*process
	for _, p := range c.all() {
		if p.sharer == sharer {
			fit = append(fit, p)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[rand.N(len(fit))]
}

// fault counts a fault.
func (c *crew) fault(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults[name]++
}

// end ends every process as a person would.
func (c *crew) end(ctx context.Context) {
	for _, p := range c.all() {
		p.signal(syscall.SIGCONT)
		p.signal(syscall.SIGTERM)
		if !p.sharer {
			p.signal(syscall.SIGKILL)
		}
	}
	for _, p := range c.all() {
		select {
		case <-p.ended:
		case <-ctx.Done():
			c.t.Errorf("process %d, a sharer: %v, didn't end on SIGTERM", p.cmd.Process.Pid, p.sharer)
			p.signal(syscall.SIGQUIT)
		}
	}
}
