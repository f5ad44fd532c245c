package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession/internal/testkit"
)

// innerEnv says that this process has a /dev/shm of its own.
const innerEnv = "SHSESSION_SOAK_INNER"

func TestMain(m *testing.M) {
	if place := os.Getenv(askEnv); place != "" {
		os.Exit(ask(place))
	}
	os.Exit(m.Run())
}

// duration returns how long the soak is, 0 if it isn't asked for.
func duration() time.Duration {
	text := os.Getenv("SHSESSION_SOAK")
	if text == "" {
		return 0
	}
	if d, err := time.ParseDuration(text); err == nil {
		return d
	}
	return 10 * time.Minute
}

// Whatever happens, nobody is handed an expired token, nobody fails who has a valid one or
// finds one in the store, there is one login a life and one more a fault, and nothing is
// left in the end.
func TestSoak(t *testing.T) {
	if duration() == 0 {
		t.Skip("a soak of ten minutes, which SHSESSION_SOAK=1 asks for")
	}
	if os.Getenv(innerEnv) == "" {
		inner(t)
		return
	}
	if err := syscall.Mount("tmpfs", "/dev/shm", "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "size=256k,mode=1777"); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "shsession")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/shsession").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	redisURL := testkit.StartRedis(t)
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	info, err := client.InfoMap(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	server := 0
	fmt.Sscan(info["Server"]["process_id"], &server)
	memory, cluster := newCrew(t, program, "shm:soak"), newCrew(t, program, redisURL+"?key=soak")
	var soaking sync.WaitGroup
	soaking.Go(func() { memory.soak(append(memory.commonFaults(), memory.segmentFaults()...)) })
	soaking.Go(func() { cluster.soak(append(cluster.commonFaults(), cluster.redisFaults(client, server)...)) })
	soaking.Wait()
	memory.wantNothingLeft(func() []string { return leftInMemory(t) })
	cluster.wantNothingLeft(func() []string {
		keys, err := client.Keys(t.Context(), "*").Result()
		if err != nil {
			t.Error(err)
		}
		return slices.DeleteFunc(keys, func(key string) bool {
			return strings.HasSuffix(key, ":fence") // a number, which stays
		})
	})
}

// leftInMemory returns the files that are left in /dev/shm, but for the locks, which stay.
func leftInMemory(t *testing.T) (left []string) {
	entries, err := os.ReadDir("/dev/shm")
	if err != nil {
		t.Error(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(strings.TrimPrefix(e.Name(), "."), "soak") { // else it is of this machine's cache
			left = append(left, e.Name())
		}
	}
	locks, err := os.ReadDir(lockDir())
	if err != nil {
		t.Error(err)
	}
	for _, e := range locks {
		if name := e.Name(); strings.HasPrefix(name, "soak") && name != "soak.lock" && name != "soak.change" {
			left = append(left, name)
		}
	}
	return left
}

// inner runs the test in a process with a /dev/shm of its own, which can be filled without
// harm to anybody.
func inner(t *testing.T) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestSoak$", "-test.v", "-test.timeout=0")
	cmd.Env = append(os.Environ(), innerEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}},
		AmbientCaps: []uintptr{21}, // CAP_SYS_ADMIN, to mount it
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("the soak: %v", err)
	}
}

// soak lets things happen to a crew at random, two at a time, and checks what has come of
// it.
func (c *crew) soak(faults []fault) {
	ctx, cancel := context.WithCancel(context.Background())
	var supervising sync.WaitGroup
	supervising.Go(func() { c.supervise(ctx) })
	begin := time.Now()
	var happening sync.WaitGroup
	next := make(chan fault)
	for range 2 {
		happening.Go(func() {
			for f := range next {
				c.fault(f.name)
				f.happen()
				aWhile(2 * time.Second)
			}
		})
	}
	for time.Since(begin) < duration() { // each in every round
		for _, i := range rand.Perm(len(faults)) {
			next <- faults[i]
		}
	}
	close(next)
	happening.Wait()
	<-time.After(2 * life) // for what was noted and refused to pass
	cancel()
	supervising.Wait()
	if n := len(c.all()); n != sharers+askers {
		c.t.Errorf("%s: %d processes run in the end, want %d", c.place, n, sharers+askers)
	}
	c.check(time.Since(begin))
	for _, f := range faults {
		if c.faults[f.name] == 0 {
			c.t.Errorf("%s: %s: it didn't happen", c.place, f.name)
		}
	}
}

// check tells which promises were broken.
func (c *crew) check(elapsed time.Duration) {
	issued := int(c.service.Counters().TokensIssued)
	c.mu.Lock()
	defer c.mu.Unlock()
	lives, faults := int(elapsed/(life/2))+1, 0
	for _, n := range c.faults {
		faults += n
	}
	c.t.Logf("%s: %d logins in %d lives with %d faults; %d askers had a token; %v", c.place, issued, lives, faults, c.started, c.faults)
	if c.started < askers {
		c.t.Errorf("%s: %d askers had a token, want all of %d", c.place, c.started, askers)
	}
	if issued > lives+faults {
		c.t.Errorf("%s: %d logins, more than one a life and one a fault", c.place, issued)
	}
	for i, text := range c.broken {
		if i < 20 {
			c.t.Errorf("%s: %s", c.place, text)
		}
	}
	if len(c.broken) > 20 {
		c.t.Errorf("%s: %d promises broken in all", c.place, len(c.broken))
	}
}

// wantNothingLeft ends the crew, lets one more sharer come and go, which sweeps what killed
// ones left, and looks.
func (c *crew) wantNothingLeft(left func() []string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c.end(ctx)
	last := c.start(true)
	store, err := openStore(c.place, c.secretFile())
	if err != nil {
		c.t.Error(err)
		return
	}
	for tick := time.Tick(50 * time.Millisecond); ; <-tick {
		if _, err := store.Load(ctx); err == nil {
			break
		}
		if ctx.Err() != nil {
			c.t.Errorf("%s: the last sharer shares nothing", c.place)
			break
		}
	}
	c.end(ctx)
	<-last.ended
	if names := left(); len(names) > 0 {
		c.t.Errorf("%s: left behind: %q; the last sharer was process %d, and the last that was logged is\n%s",
			c.place, names, last.cmd.Process.Pid, strings.Join(c.said, "\n"))
	}
}
