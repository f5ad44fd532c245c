package interop_test

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// storeKey is the SHSESSION_STORE_KEY of all crews.
const storeKey = "0123456789abcdef0123456789abcdef"

// A crew is workers on the hosts of a lan, and the identity service at the switch that they log in to.
type crew struct {
	lan     *lan
	store   string // the Redis URL
	service *identity.Server
	url     string

	mu      sync.Mutex      // guards what follows
	workers map[int]*worker // by process id, without those that were killed
	numbers map[string]int  // of the tokens, from 1 in the order in which they came to be known
	onLogin func(pid int)   // if not nil, called before a login is answered
	inAPI   map[int]bool    // processes with a request at the API under way
	readers sync.WaitGroup
}

// A worker is what is known of one process.
type worker struct {
	host     int
	stdin    io.Closer
	process  *os.Process
	clock    time.Duration // how far ahead of the test's it is
	token    int           // the number of the one it has, or 0
	refused  int           // how often the API refused it
	done     int           // how many requests of its were served, if it shares a limit
	failures []failure
}

// A failure is an error of a worker's Session.Token.
type failure struct {
	class string
	left  time.Duration // to the end of the last token
	text  string
}

func newCrew(t *testing.T, l *lan, store string, o identity.Options) *crew {
	t.Helper()
	service, err := identity.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c := &crew{lan: l, store: store, service: service, workers: map[int]*worker{}, numbers: map[string]int{}, inAPI: map[int]bool{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(c.serve))
	server.Listener.Close()
	server.Listener = l.listen(t, 0)
	server.Start()
	c.url = server.URL
	t.Cleanup(func() {
		for _, w := range c.snapshot() {
			w.process.Kill()
		}
		c.readers.Wait()
		server.Close()
	})
	return c
}

func (c *crew) serve(w http.ResponseWriter, r *http.Request) {
	if pid, err := strconv.Atoi(r.Header.Get("X-Process")); err == nil {
		c.mu.Lock()
		onLogin := c.onLogin
		if r.URL.Path == apiPath {
			onLogin = nil
			c.inAPI[pid] = true
			defer c.left(pid)
		}
		c.mu.Unlock()
		if onLogin != nil {
			onLogin(pid)
		}
	}
	c.service.ServeHTTP(w, r)
}

func (c *crew) left(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.inAPI, pid)
}

// atAPI returns the processes with a request at the API under way.
func (c *crew) atAPI() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Collect(maps.Keys(c.inAPI))
}

// atNextLogin calls f with the process that logs in next.
func (c *crew) atNextLogin(f func(pid int)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var once sync.Once
	c.onLogin = func(pid int) { once.Do(func() { f(pid) }) }
}

func (c *crew) logins() int { return int(c.service.Counters().TokenRequests) }

// start starts workers on a host: this test's program, or another one that was built from it.
func (c *crew) start(t *testing.T, host, workers int, program string, env ...string) {
	t.Helper()
	for range workers {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), append(env,
			workerStoreEnv+"="+c.store, workerServiceEnv+"="+c.url, "SHSESSION_STORE_KEY="+storeKey)...)
		cmd.Stderr = os.Stderr
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.lan.start(host, cmd); err != nil {
			t.Fatal(err)
		}
		w := &worker{host: host, stdin: stdin, process: cmd.Process}
		c.mu.Lock()
		c.workers[cmd.Process.Pid] = w
		c.mu.Unlock()
		c.readers.Go(func() {
			for lines := bufio.NewScanner(stdout); lines.Scan(); {
				c.note(w, lines.Text())
			}
			_ = cmd.Wait() // it was killed
		})
	}
}

// kill kills a worker.
func (c *crew) kill(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.workers[pid] != nil {
		_ = syscall.Kill(pid, syscall.SIGKILL) // not reaped before its reader is done, so it's this one or a zombie
		delete(c.workers, pid)
	}
}

// note takes a line that a worker printed.
func (c *crew) note(w *worker, line string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what, rest, _ := strings.Cut(line, " ")
	switch what {
	case "clock":
		seconds, _ := strconv.ParseInt(rest, 10, 64)
		w.clock = time.Until(time.Unix(seconds, 0))
	case "token":
		if c.numbers[rest] == 0 {
			c.numbers[rest] = len(c.numbers) + 1
		}
		w.token = c.numbers[rest]
	case "done":
		w.done++
	case "refused":
		w.refused++
	case "failed":
		var f failure
		var left float64
		fmt.Sscan(rest, &f.class, &left)
		f.left = time.Duration(left * float64(time.Second))
		f.text = rest
		w.failures = append(w.failures, f)
	default: // a panic, for instance
		w.failures = append(w.failures, failure{class: "other", text: line})
	}
}

// snapshot returns a copy of what is known of the workers on some hosts, or on all.
func (c *crew) snapshot(hosts ...int) []worker {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []worker
	for _, w := range c.workers {
		if len(hosts) == 0 || slices.Contains(hosts, w.host) {
			all = append(all, *w)
		}
	}
	return all
}

// newest returns the number of the newest token.
func (c *crew) newest() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.numbers)
}

// awaitNewer waits until each worker on some hosts, or on all, has a token that is newer than the one of that number.
func (c *crew) awaitNewer(t *testing.T, number int, hosts ...int) {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("every worker has a token newer than the %dth", number), func() bool {
		for _, w := range c.snapshot(hosts...) {
			if w.token <= number {
				return false
			}
		}
		return true
	})
}

// wantNoFailure fails if any worker on some hosts, or on all, had an error or was refused.
func (c *crew) wantNoFailure(t *testing.T, hosts ...int) {
	t.Helper()
	for _, w := range c.snapshot(hosts...) {
		if len(w.failures) > 0 {
			t.Errorf("a worker on host %d failed %d times, first: %s", w.host, len(w.failures), w.failures[0].text)
		}
		if w.refused > 0 {
			t.Errorf("a worker on host %d was refused %d times", w.host, w.refused)
		}
	}
}

// wantLogins fails unless there were so many logins.
func (c *crew) wantLogins(t *testing.T, least, most int) {
	t.Helper()
	if logins := c.logins(); logins < least || logins > most {
		t.Errorf("%d logins, want %d to %d", logins, least, most)
	}
}
