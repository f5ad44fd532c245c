package interop_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
)

// clockEnv is how many seconds the clock is ahead in a program that buildWithClock built.
const clockEnv = "SHSESSION_TEST_CLOCK"

// TestHostsWithWrongClocks has workers share a token on hosts whose clocks are ten minutes apart from the service's,
// one each way, and on one that is right. Each of the three logs in first once, for the others.
func TestHostsWithWrongClocks(t *testing.T) {
	const life = 6 * time.Second
	clocks := map[int]time.Duration{1: 0, 2: 10 * time.Minute, 3: -10 * time.Minute}
	l := newLAN(t, redisHost)
	program := buildWithClock(t)
	t.Parallel() // not before: it takes all processors to build that
	server := l.startRedis(t, redisHost, 6379, "--save", "", "--appendonly", "no")
	c := newCrew(t, l, "redis://"+server.addr+"/0", identity.Options{Lifetime: life})
	start := func(t *testing.T, host int) {
		c.start(t, host, 4, program, fmt.Sprintf("%s=%d", clockEnv, int(clocks[host].Seconds())))
	}

	t.Run("a rate limit", func(t *testing.T) { checkLimitWithClocks(t, program, clocks) })
	for first, clock := range clocks {
		t.Run(fmt.Sprintf("the first is %v ahead", clock), func(t *testing.T) {
			server.do(t, "FLUSHALL")
			before, number := c.logins(), c.newest()
			start(t, first)
			c.awaitNewer(t, number)
			for host := range clocks {
				if host != first {
					start(t, host)
				}
			}
			for lives := range 2 {
				c.awaitNewer(t, number+lives)
				c.wantLogins(t, before+lives+1, before+lives+1)
			}
			c.wantNoFailure(t)
			for _, w := range c.snapshot() {
				if off := w.clock - clocks[w.host]; off.Abs() > 5*time.Second {
					t.Errorf("the clock of a worker on host %d is %v ahead, and was to be %v", w.host, w.clock, clocks[w.host])
				}
				c.kill(w.process.Pid)
			}
		})
	}
}

// checkLimitWithClocks has workers share a rate limit on such hosts: Redis's clock is what
// counts.
func checkLimitWithClocks(t *testing.T, program string, clocks map[int]time.Duration) {
	const limit, rate = "200/20s", 10
	c := newLimitedCrew(t, limit, 100*time.Millisecond)
	for host, clock := range clocks {
		c.start(t, host, 4, program, workerLimitEnv+"="+limit, fmt.Sprintf("%s=%d", clockEnv, int(clock.Seconds())))
	}
	c.awaitFirst(t, 220)
	served, refused := c.during(20 * time.Second)
	wantRate(t, "with clocks ten minutes apart", served, 0.9*20*rate, refused)
	c.wantNoFailure(t)
}

// buildWithClock builds this test's program with a time.Now of its own, which adds what clockEnv says. A
// namespace for the real-time clock is something that Linux doesn't have.
func buildWithClock(t *testing.T) string {
	t.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(goroot)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	replacement, overlay := filepath.Join(dir, "time.go"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{original: replacement}})
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string]string{replacement: withClock(t, string(source)), overlay: string(replace)} {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "worker")
	if out, err := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("building with another clock: %v\n%s", err, out)
	}
	return program
}

// withClock changes the source of time.Now.
func withClock(t *testing.T, source string) string {
	t.Helper()
	for old, changed := range map[string]string{
		"\nimport (\n": "\nimport (\n\t\"syscall\"\n",
		"func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n": "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n\tsec += ahead\n",
	} {
		if strings.Count(source, old) != 1 {
			t.Fatalf("time.go is not as it was: it should have once\n%s", old)
		}
		source = strings.Replace(source, old, changed, 1)
	}
	return source + fmt.Sprintf(`
var ahead = func() int64 {
	text, _ := syscall.Getenv(%q)
	seconds, _ := atoi(text)
	return int64(seconds)
}()
`, clockEnv)
}
