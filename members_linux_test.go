package shsession_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/shm"
)

// A crowd is a number of processes that have joined one segment, and the service they log
// in to.
type crowd struct {
	t       *testing.T
	service *identity.Server
	segment string
	url     string

	mu       sync.Mutex // guards what follows
	members  map[int]*exec.Cmd
	tokens   map[string]int // how many processes saw each
	failures []string
	readers  sync.WaitGroup
}

// newCrowd calls onLogin, if it isn't nil, with each process that asks for a token.
func newCrowd(t *testing.T, lifetime time.Duration, onLogin func(pid int)) *crowd {
	service, _ := newService(t, lifetime)
	c := &crowd{
		t: t, service: service, members: map[int]*exec.Cmd{}, tokens: map[string]int{},
		segment: fmt.Sprintf("shsession-test-%d-%d", os.Getpid(), rand.Uint32()),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if pid, err := strconv.Atoi(r.Header.Get("X-Process")); err == nil && onLogin != nil {
			onLogin(pid)
		}
		service.ServeHTTP(w, r)
	}))
	c.url = server.URL + "/oauth/token"
	t.Cleanup(func() {
		c.mu.Lock()
		for _, cmd := range c.members {
			cmd.Process.Kill()
		}
		c.mu.Unlock()
		c.readers.Wait()
		server.Close()
		shm.Remove(context.Background(), c.segment)
	})
	return c
}

// start starts one more process.
func (c *crowd) start() {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), memberEnv+"="+c.segment, memberURLEnv+"="+c.url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	c.members[cmd.Process.Pid] = cmd
	c.mu.Unlock()
	c.readers.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			c.note(lines.Text())
		}
		cmd.Wait()
		c.mu.Lock()
		delete(c.members, cmd.Process.Pid)
		c.mu.Unlock()
	})
}

func (c *crowd) note(line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if token, ok := strings.CutPrefix(line, "token "); ok {
		c.tokens[token]++
		return
	}
	c.failures = append(c.failures, line)
}

// kill kills one process, if it lives.
func (c *crowd) kill(pid int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.members[pid] == nil {
		return false
	}
	return syscall.Kill(pid, syscall.SIGKILL) == nil
}

// seen returns how many processes have seen the n-th token at least, and the failures.
func (c *crowd) seen() (tokens map[string]int, failures []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	tokens = map[string]int{}
	for token, n := range c.tokens {
		tokens[token] = n
	}
	return tokens, append(failures, c.failures...)
}

// eventually polls until ok or a minute has passed.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for tick := time.Tick(10 * time.Millisecond); !ok(); {
		select {
		case <-deadline:
			t.Fatalf("not within a minute: %s", what)
		case <-tick:
		}
	}
}

// Sixty-four processes that start at once make one login, and again at each expiry.
func TestManyProcessesOneLogin(t *testing.T) {
	const processes, lives = 64, 3
	c := newCrowd(t, 8*time.Second, nil)
	for range processes {
		c.start()
	}
	for life := 1; life <= lives; life++ {
		eventually(t, fmt.Sprintf("all processes have token %d", life), func() bool {
			tokens, _ := c.seen()
			all := 0
			for _, n := range tokens {
				if n == processes {
					all++
				}
			}
			return all >= life
		})
		if logins := c.service.Counters().TokenRequests; logins != int64(life) {
			t.Errorf("%d logins for %d tokens", logins, life)
		}
	}
	if _, failures := c.seen(); len(failures) > 0 {
		t.Errorf("%d calls failed, the first: %s", len(failures), failures[0])
	}
}

// Whoever logs in is killed at a random moment, again and again: no survivor sees an
// error, and each kill costs one login at most.
func TestKillTheLoginHolder(t *testing.T) {
	kills := 20
	if os.Getenv("SHSESSION_SOAK") != "" {
		kills = 200
	}
	suspects, killed := make(chan int), make(chan struct{}, kills)
	c := newCrowd(t, 2*time.Second, func(pid int) {
		select {
		case suspects <- pid:
		default: // its time comes
		}
	})
	c.service.AddRule(identity.Rule{Fault: identity.MustParseFault("slow:20ms")})
	var killer sync.WaitGroup
	killer.Go(func() {
		for len(killed) < cap(killed) {
			pid := <-suspects
			<-time.After(rand.N(40 * time.Millisecond)) // before the answer, while it's published, or after
			if c.kill(pid) {
				killed <- struct{}{}
			}
		}
	})
	for range 8 {
		c.start()
	}
	begin := time.Now()
	for n := range kills {
		eventually(t, fmt.Sprintf("login %d", n+1), func() bool { return len(killed) > n })
		c.start()
	}
	killer.Wait()
	elapsed := time.Since(begin)
	if _, failures := c.seen(); len(failures) > 0 {
		t.Errorf("%d calls failed, the first: %s", len(failures), failures[0])
	}
	logins := c.service.Counters().TokenRequests
	if most := int64(kills) + int64(elapsed/time.Second) + 2; logins > most {
		t.Errorf("%d logins with %d kills in %v", logins, kills, elapsed)
	}
	t.Logf("%d kills in %v: %d logins", kills, elapsed.Round(time.Second), logins)
}
