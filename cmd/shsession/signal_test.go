//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// A signal during a login ends the command at once, as a shell expects.
func TestInterruptedLogin(t *testing.T) {
	t.Parallel()
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			service, env := startService(t)
			service.Inject(identity.MustParseFault("hang"), 0)
			p := command(t, env, "token")
			p.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // at a terminal a signal would end it
			p.start(t)
			testkit.Eventually(t, "a login", func() bool { return service.Counters().TokenRequests > 0 })
			if err := p.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if got := p.exit(t); got != want {
				t.Errorf("exit code %d, want %d", got, want)
			}
			if p.out.String() != "" || p.err.String() != "" {
				t.Errorf("it wrote %q and %q", p.out.String(), p.err.String())
			}
		})
	}
}

// A reader that goes away ends the command quietly.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	p := command(t, nil, "help")
	p.Stdout = w
	p.start(t)
	w.Close()
	p.exit(t)
	if status := p.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGPIPE {
		t.Errorf("it ended with %v", p.ProcessState)
	}
	if p.err.String() != "" {
		t.Errorf("it wrote %q", p.err.String())
	}
}

// A token that can't be written is an error, not a success.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if os.IsNotExist(err) {
		t.Skip("this system has no /dev/full")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	_, env := startService(t)
	for _, args := range [][]string{{"token"}, {"token", "--json"}, {"headers"}, {"headers", "--format", "json"}, {"info"}, {"info", "--json"}, {"version"}} {
		p := command(t, env, append(args, "-v")...)
		p.Stdout = full
		p.start(t)
		if got := p.exit(t); got != 1 {
			t.Errorf("%v: exit code %d, want 1", args, got)
		}
	}
}

// The identity service says how to use it, is used so, and ends on a signal with exit code 0.
func TestIdentity(t *testing.T) {
	t.Parallel()
	p := command(t, nil, "identity", "--listen", "127.0.0.1:0", "--lifetime", "30s", "-v")
	p.start(t)
	testkit.Eventually(t, "the introduction", func() bool { return strings.Contains(p.out.String(), "Interrupt to stop the service.") })
	if !strings.HasPrefix(p.out.String(), "For development only: an identity service on http://127.0.0.1:") {
		t.Errorf("the first line is not what it should be: %q", p.out.String())
	}
	var env []string
	for line := range strings.Lines(p.out.String()) {
		if exports, ok := strings.CutPrefix(strings.TrimSpace(line), "export "); ok {
			env = append(env, strings.Fields(exports)...)
		}
	}
	info := command(t, env, "info", "--verify", "--no-cache")
	info.start(t)
	if got := info.exit(t); got != 0 || !strings.Contains(info.out.String(), "signature  verified") {
		t.Errorf("exit code %d, %s%s", got, info.out.String(), info.err.String())
	}
	p.Process.Signal(os.Interrupt)
	if got := p.exit(t); got != 0 {
		t.Errorf("exit code %d of the service: %s", got, p.err.String())
	}
}
