package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// The command does without /dev/shm: where that is read-only, and where it is missing, its
// processes share in a private directory: fifty one after the other, and two hundred under SHSESSION_SOAK.
func TestWithoutSharedMemory(t *testing.T) {
	t.Parallel()
	shell := testkit.Need(t, "sh")
	mount := testkit.Need(t, "mount")
	processes := 50
	if os.Getenv("SHSESSION_SOAK") != "" {
		processes = 200
	}
	for name, hide := range map[string]string{
		"read-only": mount + " -t tmpfs -o ro none /dev/shm",
		"missing":   mount + " -t tmpfs none /dev",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			service, env := startService(t)
			// Each script has a mount namespace of its own, and the same home.
			script := func(text string) (out, err string, code int) {
				t.Helper()
				p := command(t, append(env, "XDG_CACHE_HOME="+t.TempDir()), "")
				p.Path, p.Args = shell, []string{"sh", "-c", "set -e; " + hide + "; " + text}
				p.SysProcAttr = &syscall.SysProcAttr{
					Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
					UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
					GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
				}
				p.start(t)
				code = p.exit(t)
				return p.out.String(), p.err.String(), code
			}
			out, stderr, code := script(fmt.Sprintf("for i in $(seq %d); do shsession token; echo; done", processes))
			tokens := strings.Fields(out)
			if code != exitOK || stderr != "" || len(tokens) != processes || strings.Count(out, tokens[0]) != processes {
				t.Errorf("token: exit code %d, %d tokens, %q", code, len(tokens), stderr)
			}
			if n := service.Counters().TokensIssued; n != 1 {
				t.Errorf("%d logins for %d tokens, want 1", n, processes)
			}
			before := service.Counters().TokensIssued
			out, stderr, code = script("unset HOME XDG_CACHE_HOME; shsession token")
			if n := service.Counters().TokensIssued - before; code != exitOK || n != 1 || len(out) == 0 ||
				strings.Count(stderr, "logging in without this machine's cache") != 1 {
				t.Errorf("token without a home: exit code %d, %d logins, %q, want a login and a warning", code, n, stderr)
			}
			out, stderr, code = script(`shsession share --name elsewhere -- sh -c '
				shsession collect elsewhere && shsession status'`)
			if code != exitOK || !strings.Contains(out, "elsewhere") || !strings.Contains(stderr, "Python's collect_shared_session can't read it") {
				t.Errorf("share: exit code %d, %q, %q", code, out, stderr)
			}
			out, stderr, code = script(`shsession share --name elsewhere -- env SH_CLIENT_ID=another shsession share --name elsewhere -- echo shared`)
			if code == exitOK || strings.Contains(out, "shared\n") {
				t.Errorf("another client: exit code %d, %q, %q", code, out, stderr)
			}
		})
	}
}
