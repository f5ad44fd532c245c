package main

import (
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// A process is the command at work.
type process struct {
	*exec.Cmd
	out, err testkit.Output
}

// command prepares the command in an environment of its own, with more variables.
func command(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command("shsession", args...)}
	p.Env = append(append([]string{"PATH=" + os.Getenv("PATH")}, isolated(t.TempDir())...), env...)
	p.Stdout, p.Stderr = &p.out, &p.err
	return p
}

// start starts it. It is killed at the end of the test at the latest.
func (p *process) start(t *testing.T) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.ProcessState == nil {
			p.Process.Kill()
			p.Wait()
		}
	})
}

// exit waits until the process has ended, and returns its exit code.
func (p *process) exit(t *testing.T) int {
	t.Helper()
	timer := time.AfterFunc(5*time.Minute, func() { p.Process.Kill() })
	defer timer.Stop()
	p.Wait() // the exit code tells
	return p.ProcessState.ExitCode()
}

// startService starts an identity service with one client, and returns the variables that point to it.
func startService(t *testing.T) (*identity.Server, []string) {
	t.Helper()
	return startServiceWith(t, identity.Options{})
}

// startServiceWith is startService with some options.
func startServiceWith(t *testing.T, o identity.Options) (*identity.Server, []string) {
	t.Helper()
	client := unique()
	o.Key, o.Clients = testkit.SigningKey(), []identity.Client{{ID: client, Secret: shsession.NewSecret(scriptSecret)}}
	service, err := identity.New(o)
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(service)
	t.Cleanup(listening.Close)
	tokenURL := listening.URL + "/auth/realms/main/protocol/openid-connect/token"
	t.Cleanup(func() { removeSegments(client, tokenURL) })
	return service, []string{
		"SH_CLIENT_ID=" + client, "SH_CLIENT_SECRET=" + scriptSecret, "SH_BASE_URL=" + listening.URL,
		"SH_TOKEN_URL=" + tokenURL,
	}
}

// startShare starts a share under a name, and returns it once the token is there.
func startShare(t *testing.T, env []string, name string) *process {
	t.Helper()
	p := command(t, env, "share", "--name", name)
	p.start(t)
	testkit.Eventually(t, "a shared token", func() bool { return strings.Contains(p.out.String(), "sharing") })
	return p
}

// readUntil reads r until text has come.
func readUntil(t *testing.T, r io.Reader, text string) string {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(all.String(), text) {
		n, err := r.Read(buf)
		all.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, all.String())
		}
	}
	return all.String()
}
