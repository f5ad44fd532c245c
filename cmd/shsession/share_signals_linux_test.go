package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/signals"
	"github.com/shsession/shsession/internal/testkit"
)

// A second signal within a moment changes nothing; one after that ends a shutdown that hangs.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	service.AddRule(identity.Rule{API: true, Fault: identity.MustParseFault("slow:60s")})
	p, url := startProxy(t, env)
	go get(t.Context(), url+"/api/v1/process")
	testkit.Eventually(t, "a request", func() bool { return service.Counters().APIRequests == 1 })
	begin := time.Now()
	var ended sync.WaitGroup
	ended.Go(func() { p.exit(t) })
	testkit.Eventually(t, "the end", func() bool { return p.Process.Signal(syscall.SIGTERM) != nil })
	ended.Wait()
	if status := p.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGTERM {
		t.Errorf("it ended with %v", p.ProcessState)
	}
	if took := time.Since(begin); took < signals.Patience {
		t.Errorf("it was ended after %v, want %v at least", took, signals.Patience)
	}
}

// A shareCase is one way for a share with a command to end.
type shareCase struct {
	name   string
	script string // "" for a share without a command
	code   int
	send   []syscall.Signal // to the share once it says that it shares, or the command that it's ready
	early  bool             // they are sent at any moment, and the command may not be started
	stray  syscall.Signal   // sent after them at any moment, and of no consequence
}

// loop says that it's ready, and waits for what never comes.
const loop = "echo ready; while :; do read line; done"

func shareCases() []shareCase {
	term, interrupt := syscall.SIGTERM, syscall.SIGINT
	return []shareCase{
		{name: "no command", code: 0, send: []syscall.Signal{term}, stray: term},
		{name: "ends by a signal", script: "kill -TERM $$", code: 143},
		{name: "exit code 7", script: "exit 7", code: 7},
		{name: "answers SIGTERM", script: "trap 'exit 5' TERM; " + loop, code: 5, send: []syscall.Signal{term}},
		{name: "answers SIGTERM, and another comes", script: "trap 'exit 5' TERM; " + loop, code: 5, send: []syscall.Signal{term}, stray: term},
		{name: "ends on SIGINT, and SIGTERM comes", script: "trap 'exit 5' TERM INT; " + loop, code: 5, send: []syscall.Signal{interrupt}, stray: term},
		{name: "ignores SIGTERM", script: "trap '' TERM; trap 'exit 6' USR1; " + loop, code: 6, send: []syscall.Signal{term, term, syscall.SIGUSR1}},
		{name: "has grandchildren", script: "sleep 100 & (sleep 100 & sleep 100) & " + loop, code: 143, send: []syscall.Signal{term}, stray: term},
		{name: "SIGTERM at any moment", script: "sleep 100", code: 143, send: []syscall.Signal{term}, early: true},
	}
}

// Each of these goes well every time: the exit code is right, and nothing is left, of the token or of the command.
// SHSESSION_SOAK makes it two hundred times.
func TestShareEnds(t *testing.T) {
	t.Parallel()
	times := 30
	if os.Getenv("SHSESSION_SOAK") != "" {
		times = 200
	} else if testing.Short() || underRace {
		times = 10
	}
	for _, test := range shareCases() {
		_, env := startService(t)
		warm := command(t, env, "token") // so that all begin with a token
		warm.start(t)
		if code := warm.exit(t); code != exitOK {
			t.Fatalf("exit code %d: %s", code, warm.err.String())
		}
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var turns sync.WaitGroup
			for worker := range 3 {
				turns.Go(func() {
					for i := worker; i < times && !t.Failed(); i += 3 {
						test.run(t, env, fmt.Sprintf("%s-%d", clientIn(env), i))
					}
				})
			}
			turns.Wait()
		})
	}
}

// run runs the case once, under a segment's name that no other run has. It's called by several goroutines.
func (c shareCase) run(t *testing.T, env []string, name string) {
	args := []string{"share", "--name", name}
	if c.script != "" {
		args = append(args, "--", "sh", "-c", c.script)
	}
	p := command(t, env, args...)
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // by which its processes are told
	stdin, err := p.StdinPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Error(err)
		return
	}
	defer stdin.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Wait() // the exit code tells
	}()
	c.signal(p, ended)
	if !endsInTime(stdin, ended) {
		t.Errorf("%s has not ended", name)
		p.Process.Kill()
		<-ended
	}
	code, status := p.ProcessState.ExitCode(), p.ProcessState.Sys().(syscall.WaitStatus)
	before := c.early && status.Signal() == syscall.SIGTERM // before it could catch one
	if code != c.code && !before {
		t.Errorf("%s: %v, want exit code %d: %s", name, p.ProcessState, c.code, p.err.String())
	}
	for _, pattern := range []string{"/dev/shm/" + name, "/dev/shm/." + name + ".*.note", "/dev/shm/." + name + ".*.*.*"} { // but the locks
		if left, err := filepath.Glob(pattern); err != nil || len(left) > 0 {
			t.Errorf("%s has left %v: %v", name, left, err)
		}
	}
	if !strings.Contains(c.script, "sleep") {
		return // the shell, which has been waited for, was the only process
	}
	if !testkit.Within(time.Minute, func() bool { return len(processesOf(p.Process.Pid)) == 0 }) {
		t.Errorf("%s has left the processes %v", name, processesOf(p.Process.Pid))
	}
}

// endsInTime reports whether a process ends within half a minute. It writes lines for the command to read
// meanwhile: a shell whose signal came just before it began to wait for one runs its trap no sooner.
func endsInTime(stdin io.Writer, ended <-chan struct{}) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(30 * time.Second); ; {
		select {
		case <-ended:
			return true
		case <-tick.C:
			io.WriteString(stdin, "\n") // an error means that it has ended
		case <-deadline:
			return false
		}
	}
}

// signal sends the case's signals, unless the process ends before that.
func (c shareCase) signal(p *process, ended <-chan struct{}) {
	moment := func() <-chan time.Time { return time.After(rand.N(50 * time.Millisecond)) }
	switch {
	case c.early:
		<-moment()
	case len(c.send) > 0:
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for !strings.HasPrefix(p.out.String(), "ready") && !strings.HasPrefix(p.out.String(), "sharing a token") {
			select {
			case <-ended:
				return
			case <-tick.C:
			}
		}
	}
	for _, sig := range c.send {
		p.Process.Signal(sig) // it may have ended
	}
	if c.stray != 0 {
		<-moment()
		p.Process.Signal(c.stray)
	}
}

// processesOf returns the processes of a session that are alive.
func processesOf(session int) (pids []string) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		_, after, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(after) // state, parent, group, session
		if len(fields) > 3 && fields[0] != "Z" && fields[3] == strconv.Itoa(session) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}
