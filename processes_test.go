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
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// A crowd is a number of processes that have joined one segment, and the service they log
// in to.
type crowd struct {
	t       *testing.T
	service *identity.Server
	segment string
	base    string // see openMember
	url     string

	mu       sync.Mutex // guards what follows
	members  map[int]*exec.Cmd
	tokens   map[string]int // how many processes saw each
	logins   []time.Time    // when each request for a token was sent
	failures []string
	readers  sync.WaitGroup
}

// newCrowd makes a crowd in this system's store, or in a private directory. It calls onLogin,
// if it isn't nil, with each process that asks for a token.
func newCrowd(t *testing.T, directory bool, lifetime time.Duration, onLogin func(pid int)) *crowd {
	service, _ := newService(t, lifetime)
	base := ""
	if directory {
		base = filepath.Join(t.TempDir(), "base")
	}
	c := &crowd{
		t: t, service: service, base: base, members: map[int]*exec.Cmd{}, tokens: map[string]int{},
		segment: fmt.Sprintf("shsession-test-%d-%d", os.Getpid(), rand.Uint32()),
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := time.Parse(time.RFC3339Nano, r.Header.Get("X-Sent"))
		if err != nil {
			t.Error(err)
		}
		c.mu.Lock()
		c.logins = append(c.logins, sent)
		c.mu.Unlock()
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
	cmd.Env = append(os.Environ(), memberEnv+"="+c.segment, memberBaseEnv+"="+c.base, memberURLEnv+"="+c.url)
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
		if c.members[cmd.Process.Pid] == cmd {
			delete(c.members, cmd.Process.Pid)
		}
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
	cmd := c.members[pid]
	delete(c.members, pid)
	return cmd != nil && cmd.Process.Kill() == nil
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

// places calls test for each place of tokens that this system has.
func places(t *testing.T, test func(t *testing.T, directory bool)) {
	if runtime.GOOS == "windows" && testing.Short() {
		t.Skip("takes minutes under Wine")
	}
	if runtime.GOOS == "linux" {
		t.Run("shared memory", func(t *testing.T) { test(t, false) })
	}
	t.Run("private directory", func(t *testing.T) { test(t, true) })
}

// Sixty-four processes that start at once make one login, and again at each expiry.
func TestManyProcessesOneLogin(t *testing.T) {
	t.Parallel()
	places(t, testManyProcesses)
}

func testManyProcesses(t *testing.T, directory bool) {
	const processes, lives = 64, 2
	lifetime := 8 * time.Second
	if runtime.GOOS == "windows" { // under Wine, so many processes take a while to start
		lifetime = time.Minute
	}
	c := newCrowd(t, directory, lifetime, nil)
	for range processes {
		c.start()
	}
	for life := 1; life <= lives; life++ {
		testkit.Eventually(t, fmt.Sprintf("all processes have token %d", life), func() bool {
			tokens, _ := c.seen()
			all := 0
			for _, n := range tokens {
				if n == processes {
					all++
				}
			}
			return all >= life
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.logins); i++ {
		if pause := c.logins[i].Sub(c.logins[i-1]); pause < lifetime/3 { // a renewal is due after half a life
			t.Errorf("login %d came %v after the one before, of a token that lives for %v", i+1, pause, lifetime)
		}
	}
	if len(c.failures) > 0 {
		t.Errorf("%d calls failed, the first: %s", len(c.failures), c.failures[0])
	}
}

// Whoever logs in is killed at a random moment, again and again: no survivor sees an
// error, and each kill costs one login at most. SHSESSION_SOAK makes it two hundred kills, and
// fifty on Windows, which Wine takes minutes for.
func TestKillTheLoginHolder(t *testing.T) {
	t.Parallel()
	places(t, testKills)
}

func testKills(t *testing.T, directory bool) {
	kills := 20
	soak := 200
	lifetime, within := 2*time.Second, 40*time.Millisecond
	if runtime.GOOS == "windows" { // under Wine everything takes longer
		soak = 50
		lifetime, within = 10*time.Second, 100*time.Millisecond
	}
	if os.Getenv("SHSESSION_SOAK") != "" {
		kills = soak
	}
	suspects, killed := make(chan int), make(chan struct{}, kills)
	c := newCrowd(t, directory, lifetime, func(pid int) {
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
			<-time.After(rand.N(within)) // before the answer, while it's published, or after
			if c.kill(pid) {
				killed <- struct{}{}
			}
		}
	})
	const survivors = 8
	for range survivors {
		c.start()
	}
	begin := time.Now()
	for n := range kills {
		testkit.Eventually(t, fmt.Sprintf("login %d", n+1), func() bool { return len(killed) > n })
		c.start()
	}
	killer.Wait()
	before, _ := c.seen()
	testkit.Eventually(t, "all survivors have a token that none of the killed has seen", func() bool {
		tokens, _ := c.seen()
		for token, n := range tokens {
			if before[token] == 0 && n == survivors {
				return true
			}
		}
		return false
	})
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
