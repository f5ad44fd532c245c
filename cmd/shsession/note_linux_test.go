package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// What another command noted about a failed login is the next one's answer, without a login;
// --no-cache, another secret and SIGHUP pass it.
func TestNotesArePassed(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	wrong := append(env, "SH_CLIENT_SECRET=wrong")
	run := func(env []string, args ...string) int {
		t.Helper()
		p := command(t, env, args...)
		p.start(t)
		return p.exit(t)
	}
	for _, call := range []struct {
		what   string
		env    []string
		args   string
		code   int
		logins int64 // in all
	}{
		{"a wrong secret", wrong, "token", exitCredentials, 1},
		{"the same again", wrong, "token", exitCredentials, 1},
		{"--no-cache", wrong, "token --no-cache", exitCredentials, 2},
		{"the same after that", wrong, "token", exitCredentials, 2},
		{"another wrong secret", append(env, "SH_CLIENT_SECRET=also wrong"), "token", exitCredentials, 3},
		{"the right secret", env, "token", exitOK, 4},
	} {
		if code := run(call.env, strings.Fields(call.args)...); code != call.code {
			t.Errorf("%s: exit code %d, want %d", call.what, code, call.code)
		}
		if n := service.Counters().TokenRequests; n != call.logins {
			t.Errorf("%s: %d logins, want %d", call.what, n, call.logins)
		}
	}

	sharers := make([]*process, 2)
	for i := range sharers {
		sharers[i] = command(t, env, "share", "--to", "header:"+filepath.Join(t.TempDir(), "header"))
		sharers[i].start(t)
		testkit.Eventually(t, "a token", func() bool { return strings.Contains(sharers[i].out.String(), "sharing a token") })
	}
	service.Inject(identity.MustParseFault("503"), 0)
	for i, p := range sharers {
		p.Process.Signal(syscall.SIGHUP)
		testkit.Eventually(t, "a login on SIGHUP, past the note of the other sharer", func() bool {
			return service.Counters().TokenRequests == int64(5+i)
		})
		// The next sharer would take a note that comes after its own SIGHUP for an answer to it.
		testkit.Eventually(t, "the note, of which the log tells", func() bool { return strings.Contains(p.err.String(), "503") })
	}
	service.Clear()
	for _, p := range sharers {
		p.Process.Signal(syscall.SIGTERM)
		if code := p.exit(t); code != exitOK {
			t.Errorf("exit code %d: %s", code, p.err.String())
		}
	}
}
