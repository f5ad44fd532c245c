package windows_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
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
	"github.com/shsession/shsession/shm"
)

// roleEnv says what this test binary does instead of testing: "wait" waits for the end of its
// standard input.
const roleEnv = "SHSESSION_WINDOWS_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == "wait" {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(7)
	}
	os.Exit(m.Run())
}

const secret = "correct-horse-battery-staple"

// A desk is what one user has: an identity service, a client there, and a name to share under.
type desk struct {
	service *identity.Server
	name    string
	dir     string // for what is kept on the disk
	env     []string
}

func newDesk(t *testing.T, lifetime time.Duration) *desk {
	t.Helper()
	name := "shsession-wintest-" + strings.ToLower(rand.Text()[:10])
	service := testkit.NewService(t, identity.Options{
		Clients:  []identity.Client{{ID: name, Secret: shsession.NewSecret(secret)}},
		Lifetime: lifetime,
	})
	listening := httptest.NewServer(service)
	t.Cleanup(listening.Close)
	dir := t.TempDir()
	t.Setenv("LocalAppData", dir) // for shm, here and in the processes
	return &desk{service, name, dir, append(os.Environ(),
		"HOME="+dir, "SH_CLIENT_ID="+name, "SH_CLIENT_SECRET="+secret, "SH_BASE_URL="+listening.URL,
		"SH_TOKEN_URL="+listening.URL+"/auth/realms/main/protocol/openid-connect/token",
		"PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=127.0.0.1",
	)}
}

// program returns the path of a program that a variable names.
func program(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		testkit.Missing(t, variable)
	}
	return path
}

// shsession prepares the command.
func (d *desk) shsession(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "SHSESSION_COMMAND"), args...)
	cmd.Env = d.env
	return cmd
}

// python prepares a script, given as text.
func (d *desk) python(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "SHSESSION_PYTHON"), append([]string{"-c", script}, args...)...)
	cmd.Env = d.env
	return cmd
}

// A sharer is `shsession share` at work, until its standard input ends.
type sharer struct {
	*exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer
}

// share starts a sharer, and returns once the token is there.
func (d *desk) share(t *testing.T) *sharer {
	t.Helper()
	s := &sharer{Cmd: d.shsession(t, "share", "--name", d.name, "--", os.Args[0])}
	s.Env = append(s.Env, roleEnv+"=wait")
	s.Stderr = &s.stderr
	var err error
	if s.stdin, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Process.Kill() // it may have ended
		s.Wait()
	})
	testkit.Eventually(t, "the token is shared", func() bool { return d.isShared(t) })
	return s
}

// isShared reports whether a live sharer has a token.
func (d *desk) isShared(t *testing.T) bool {
	t.Helper()
	store, err := shm.Open(d.name)
	if err != nil {
		t.Fatal(err)
	}
	live, _, err := store.Sharers(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	token, err := store.Load(context.Background())
	return err == nil && token.Remaining() > 0 && len(live) > 0
}

// stop ends the sharer's command, and with it the sharer.
func (s *sharer) stop(t *testing.T) {
	t.Helper()
	s.stdin.Close()
	if s.Wait(); s.ProcessState.ExitCode() != 7 {
		t.Errorf("the sharer ended with %v: %s", s.ProcessState, s.stderr.String())
	}
}

// logins returns how often the client has logged in.
func (d *desk) logins() int { return int(d.service.Counters().TokenRequests) }

// output runs a command, which prints JSON, and decodes that.
func output(t *testing.T, cmd *exec.Cmd, into any) {
	t.Helper()
	if err := run(cmd, into); err != nil {
		t.Fatal(err)
	}
}

// run is output for a goroutine.
func run(cmd *exec.Cmd, into any) error {
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, stderr.String())
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		return fmt.Errorf("%w: %q", err, out.String())
	}
	return nil
}
