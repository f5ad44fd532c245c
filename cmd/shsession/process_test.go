package main

import (
	"bytes"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

// output is what a process writes. It may be read while that goes on.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// A process is the command at work.
type process struct {
	*exec.Cmd
	out, err output
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
	timer := time.AfterFunc(time.Minute, func() { p.Process.Kill() })
	defer timer.Stop()
	p.Wait() // the exit code tells
	return p.ProcessState.ExitCode()
}

// eventually waits until done returns true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(20 * time.Second); !done(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 seconds: %s", what)
		}
	}
}

// startService starts an identity service with one client, and returns the variables that point to it.
func startService(t *testing.T) (*identity.Server, []string) {
	t.Helper()
	client := unique()
	service, err := identity.New(identity.Options{Clients: []identity.Client{{ID: client, Secret: shsession.NewSecret(scriptSecret)}}})
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
