package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// A secret that is rotated in config.toml or in the file of SH_CLIENT_SECRET_FILE is read again
// on SIGHUP: at once after a refusal too.
func TestRotatedOnHangUp(t *testing.T) {
	for name, file := range map[string]struct{ path, variable, text string }{
		"config.toml":           {"sentinelhub/config.toml", "SHSESSION_TEST_UNUSED", "[default-profile]\nsh_client_id = \"%s\"\nsh_client_secret = \"%s\"\n"},
		"SH_CLIENT_SECRET_FILE": {"secret", "SH_CLIENT_SECRET_FILE", "%[2]s\n"},
	} {
		t.Run(name, func(t *testing.T) {
			service, env := startService(t)
			dir := t.TempDir()
			path := filepath.Join(dir, file.path)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			client, _ := strings.CutPrefix(env[0], "SH_CLIENT_ID=")
			hold := func(secret string) {
				t.Helper()
				fresh := path + ".new"
				if err := os.WriteFile(fresh, fmt.Appendf(nil, file.text, client, secret), 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Rename(fresh, path); err != nil {
					t.Fatal(err)
				}
			}
			hold(scriptSecret)
			env = slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "SH_CLIENT_SECRET=") })
			env = append(env, "XDG_CONFIG_HOME="+dir, file.variable+"="+path)
			p := command(t, env, "share", "--to", "header:"+filepath.Join(dir, "header"))
			p.start(t)
			testkit.Eventually(t, "a token", func() bool { return strings.Contains(p.out.String(), "sharing a token") })
			hold("another")
			p.Process.Signal(syscall.SIGHUP)
			testkit.Eventually(t, "a refusal", func() bool { return strings.Contains(p.err.String(), "wasn't renewed on SIGHUP") })
			hold(scriptSecret)
			p.Process.Signal(syscall.SIGHUP)
			testkit.Eventually(t, "a renewal", func() bool { return service.Counters().TokensIssued == 2 })
			p.Process.Signal(syscall.SIGTERM)
			if code := p.exit(t); code != exitOK {
				t.Errorf("exit code %d: %s", code, p.err.String())
			}
		})
	}
}
