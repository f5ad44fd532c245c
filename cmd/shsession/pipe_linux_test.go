package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/testkit"
)

// newPipe returns a pipe that holds a page at most.
func newPipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	if _, err := unix.FcntlInt(w.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
		t.Fatal(err)
	}
	return r, w
}

// services are the commands that run until they are stopped.
func services(name string) map[string][]string {
	return map[string][]string{
		"share":              {"share", "--name", name},
		"share with command": {"share", "--name", name + "-command", "--log-format", "json", "--", "sleep", "600"},
		"proxy":              {"proxy", "--listen", "127.0.0.1:0"},
	}
}

// healthy reports whether a service's probe says so.
func healthy(addr string) bool {
	response, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		return false
	}
	response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// A service goes on when the reader of its output goes away, as with `share 2>&1 | head -1`.
func TestReaderGone(t *testing.T) {
	t.Parallel()
	for name, args := range services(unique()) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service, env := startService(t)
			r, w := newPipe(t)
			addr := testkit.FreeAddr(t)
			p := command(t, env, append([]string{args[0], "--metrics", addr, "-v"}, args[1:]...)...)
			p.Stdout, p.Stderr = w, w
			p.start(t)
			if _, err := bufio.NewReader(r).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			r.Close()
			w.Close()
			testkit.Eventually(t, "a login", func() bool { return service.Counters().TokensIssued == 1 })
			for range 3 { // each is logged
				testkit.Eventually(t, "an answer to the probe", func() bool { return healthy(addr) })
				response, err := http.Get("http://" + addr + "/nothing")
				if err != nil {
					t.Fatalf("the service has ended: %v", err)
				}
				response.Body.Close()
			}
			renewOnHangUp(t, p, func() int64 { return service.Counters().TokensIssued }, args[0])
			endByTerm(t, p)
		})
	}
}

// Nobody has to read a service's output for its token to be renewed, its probes to be answered, and
// its end to come.
func TestReaderStuck(t *testing.T) {
	t.Parallel()
	for name, args := range services(unique()) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service, env := startService(t)
			_, w := newPipe(t)
			if _, err := w.WriteString(strings.Repeat(" ", os.Getpagesize())); err != nil {
				t.Fatal(err)
			}
			addr := testkit.FreeAddr(t)
			p := command(t, env, append([]string{args[0], "--metrics", addr, "-v"}, args[1:]...)...)
			p.Stdout, p.Stderr = w, w
			p.start(t)
			testkit.Eventually(t, "a login", func() bool { return service.Counters().TokensIssued == 1 })
			testkit.Eventually(t, "an answer to the probe", func() bool { return healthy(addr) })
			renewOnHangUp(t, p, func() int64 { return service.Counters().TokensIssued }, args[0])
			endByTerm(t, p)
		})
	}
}

// renewOnHangUp checks that SIGHUP still makes a share without a command log in.
func renewOnHangUp(t *testing.T, p *process, logins func() int64, command string) {
	t.Helper()
	if command != "share" || strings.Contains(strings.Join(p.Args, " "), " -- ") {
		return
	}
	before := logins()
	testkit.Eventually(t, "a renewal on SIGHUP", func() bool {
		p.Process.Signal(syscall.SIGHUP)
		return logins() > before
	})
}

// endByTerm ends a service, whose output nobody reads, by SIGTERM.
func endByTerm(t *testing.T, p *process) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatalf("the service has ended: %v", err)
	}
	p.exit(t)
	if status := p.ProcessState.Sys().(syscall.WaitStatus); status.Signal() == syscall.SIGKILL || status.Signal() == syscall.SIGPIPE {
		t.Errorf("the service ended by %v", status.Signal())
	}
}

// A share's command has the signals as they were: SIGPIPE ends it.
func TestPipeOfCommand(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	p := command(t, env, "share", "--name", unique(), "--", "grep", "SigIgn", "/proc/self/status")
	p.start(t)
	if code := p.exit(t); code != 0 {
		t.Fatalf("exit code %d: %s", code, p.err.String())
	}
	_, mask, _ := strings.Cut(strings.TrimSpace(p.out.String()), "\t")
	ignored, err := strconv.ParseUint(mask, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	if ignored&(1<<(uint(syscall.SIGPIPE)-1)) != 0 {
		t.Error("the command ignores SIGPIPE: " + fmt.Sprintf("%x", ignored))
	}
}
