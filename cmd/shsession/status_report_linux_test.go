package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// A sharer tells this user's processes how its renewals go, and other users' nothing.
func TestSharerReports(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	name := unique()
	sharer := startShare(t, env, name)
	status := func() string {
		p := command(t, env, "status", name, "--json")
		p.start(t)
		code, want := p.exit(t), exitOK
		if strings.Contains(p.out.String(), `"state":"failing"`) {
			want = exitFailure
		}
		if code != want {
			t.Fatalf("exit code %d, want %d: %s", code, want, p.err.String())
		}
		return p.out.String()
	}
	testkit.Eventually(t, "a report before anything has happened", func() bool { // a busy machine's may come too late
		return strings.Contains(status(), `"renewals":0,"failures":0,"renew_at":"2`)
	})
	service.AddRule(identity.Rule{Times: 1, Fault: identity.MustParseFault("503")})
	sharer.Process.Signal(syscall.SIGHUP)
	testkit.Eventually(t, "a failure", func() bool {
		got := status()
		return strings.Contains(got, `"renewals":0,"failures":1,"last_error":"`) && strings.Contains(got, "503") &&
			strings.Contains(got, `"state":"failing"`)
	})
	if got := status(); strings.Contains(got, "eyJ") || strings.Contains(got, "ecret") {
		t.Errorf("a secret is told: %s", got)
	}
	if heard := ask(t, sharer.Process.Pid); !strings.Contains(heard, `"failures":1`) {
		t.Errorf("this user hears %q", heard)
	}
	if os.Getuid() != 0 {
		testkit.Missing(t, "root's right to be another user")
	}
	other := exec.Command(programForAll(t), "-test.run=^TestOtherUserAsks$", "-test.v")
	other.Args[0] = "other.test" // else it's the command
	other.Env = append(os.Environ(), fmt.Sprint("SHSESSION_ASK=", sharer.Process.Pid))
	other.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	if out, err := other.CombinedOutput(); err != nil || !strings.Contains(string(out), `heard ""`) {
		t.Errorf("another user: %v\n%s", err, out)
	}
}

// TestOtherUserAsks is a part of TestSharerReports, in a process of another user.
func TestOtherUserAsks(t *testing.T) {
	if pid, err := strconv.Atoi(os.Getenv("SHSESSION_ASK")); err == nil {
		t.Logf("heard %q", ask(t, pid))
	}
}

// ask returns what a process of root, or of this user, reports.
func ask(t *testing.T, pid int) string {
	t.Helper()
	owner, err := os.Stat(fmt.Sprint("/proc/", pid))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", fmt.Sprintf("@shsession-%d-%d", owner.Sys().(*syscall.Stat_t).Uid, pid))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
