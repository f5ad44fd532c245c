package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/testkit"
)

// A session is a D-Bus of its own for commands of a shell, with what GNOME's keyring keeps.
type session struct {
	dbus string
	env  []string
}

func newSession(t *testing.T, env []string) *session {
	t.Helper()
	s := &session{dbus: testkit.Need(t, "dbus-run-session")}
	testkit.Need(t, "gnome-keyring-daemon")
	home := t.TempDir()
	run := filepath.Join(home, "run")
	if err := os.Mkdir(run, 0o700); err != nil {
		t.Fatal(err)
	}
	s.env = append(append([]string{"PATH=" + os.Getenv("PATH")}, isolated(home)...), env...)
	s.env = append(s.env, "XDG_RUNTIME_DIR="+run, "XDG_DATA_HOME="+filepath.Join(home, "data"), "SH_CLIENT_ID=", "SH_CLIENT_SECRET=")
	return s
}

// run runs a script in the session, and returns what it prints. It's killed after a minute.
func (s *session) run(t *testing.T, script string, env ...string) string {
	t.Helper()
	cmd := exec.Command("timeout", "-k", "1", "60", s.dbus, "--", "sh", "-c", script)
	cmd.Env = append(slices.Clone(s.env), env...)
	cmd.WaitDelay = time.Second // what is left of a session may have its output open
	cmd.Dir = t.TempDir()
	cmd.Stdin = strings.NewReader(scriptSecret + "\n")
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("%v", err)
	}
	if strings.Contains(string(out), scriptSecret) {
		t.Errorf("the secret is printed: %s", out)
	}
	return string(out)
}

const unlockKeyring = "printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null; "

// The secret goes to the keyring by login and profile set, comes from there at each login, is changed
// there, and goes with the profile.
func TestKeyring(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	_, _, client := urlsOf(env)
	s := newSession(t, env)
	out := s.run(t, unlockKeyring+"shsession login --keyring --client-id "+client+"; shsession token --no-cache >token; echo got $(wc -l <token)")
	if !strings.Contains(out, "logged in at") || !strings.Contains(out, "got 1") || service.Counters().TokensIssued != 2 {
		t.Errorf("%d logins: %s", service.Counters().TokensIssued, out)
	}
	text, err := os.ReadFile(s.config())
	if err != nil || !strings.Contains(string(text), `sh_client_secret = "keyring:shsession"`) {
		t.Errorf("%v, config.toml: %s", err, text)
	}
	out = s.run(t, unlockKeyring+"echo wrong | shsession profile set default-profile; grep keyring: "+s.config()+"; shsession token --no-cache; echo code=$?; "+
		"shsession profile set default-profile --keyring; shsession token --no-cache >token; echo code=$?; "+
		"shsession profile remove default-profile")
	if strings.Count(out, "keyring:shsession") != 1 || !strings.Contains(out, "code=3") || !strings.Contains(out, "code=0") || !strings.Contains(out, "profile default-profile is removed") {
		t.Errorf("after a change: %s", out)
	}
	if err := os.WriteFile(s.config(), text, 0o600); err != nil {
		t.Fatal(err)
	}
	out = s.run(t, unlockKeyring+"shsession token --no-cache; echo code=$?")
	if !strings.Contains(out, "the keyring has no secret of the client") || !strings.Contains(out, "code=3") || !strings.Contains(out, "--keyring` stores it there") {
		t.Errorf("after the profile was removed: %s", out)
	}
}

// --keyring=false moves the secret from the keyring to config.toml, and a new one goes there.
func TestKeyringThatIsLeft(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	_, _, client := urlsOf(env)
	s := newSession(t, env)
	inFile := "grep -c 'sh_client_secret = \"" + scriptSecret + "\"' " + s.config() + "; "
	login := "shsession login --keyring --client-id " + client + "; "
	for name, leave := range map[string]string{
		"the same secret": "shsession profile set default-profile --keyring=false </dev/null; ",
		"a new secret":    "echo " + scriptSecret + " | shsession profile set default-profile --keyring=false; ",
		"a login":         "shsession login --keyring=false </dev/null; ",
	} {
		before := service.Counters().TokensIssued
		out := s.run(t, unlockKeyring+login+leave+inFile+"shsession token --no-cache >token; echo code=$?; "+
			"sed -i 's/^sh_client_secret.*/sh_client_secret = \"keyring:shsession\"/' "+s.config()+"; shsession token --no-cache; echo code=$?")
		if !strings.Contains(out, "\n1\ncode=0\n") || !strings.Contains(out, "the keyring has no secret of the client") || !strings.HasSuffix(out, "code=3\n") {
			t.Errorf("%s: %d logins: %s", name, service.Counters().TokensIssued-before, out)
		}
	}
}

func (s *session) config() string {
	for _, variable := range s.env {
		if home, ok := strings.CutPrefix(variable, "HOME="); ok {
			return filepath.Join(home, "config", "sentinelhub", "config.toml")
		}
	}
	return ""
}

// A keyring that doesn't answer is not waited for longer than the command waits.
func TestKeyringThatIsSilent(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	_, _, client := urlsOf(env)
	s := newSession(t, env)
	s.run(t, unlockKeyring+"shsession login --keyring --client-id "+client)
	services := filepath.Join(t.TempDir(), "dbus-1", "services")
	text := "[D-BUS Service]\nName=org.freedesktop.secrets\nExec=" + testkit.Need(t, "sleep") + " 5\n"
	if err := errors.Join(os.MkdirAll(services, 0o700), os.WriteFile(filepath.Join(services, "silent.service"), []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	out := s.run(t, "shsession token --timeout 100ms --no-cache; echo token=$?", "XDG_DATA_DIRS="+filepath.Dir(filepath.Dir(services)))
	if !strings.Contains(out, "token=1") || !strings.Contains(out, "keyring doesn't answer; it may be locked, and wait for a password: nothing came within 100ms") {
		t.Error(out)
	}
}

// A keyring that is locked, and can't ask for its password, is an error and not a wait. So is a bus on
// which there is no keyring, and that there is no bus.
func TestKeyringThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	_, _, client := urlsOf(env)
	s := newSession(t, env)
	s.run(t, unlockKeyring+"shsession login --keyring --client-id "+client)
	commands := "shsession token --no-cache; echo token=$?; echo x | shsession profile set other --client-id y --keyring; echo set=$?; cat " + s.config()
	for name, test := range map[string]struct{ before, services string }{
		"locked":     {"gnome-keyring-daemon --start --components=secrets >/dev/null; ", "/usr/share"},
		"no keyring": {"", "/nonexistent"},
		"no bus":     {"unset DBUS_SESSION_BUS_ADDRESS; ", "/usr/share"},
	} {
		out := s.run(t, test.before+commands, "XDG_DATA_DIRS="+test.services)
		if !strings.Contains(out, "token=1") || !strings.Contains(out, "set=1") || strings.Count(out, "this system's keyring") != 2 ||
			strings.Contains(out, "[other]") || !strings.Contains(out, "hint: unlock the keyring, or set SH_CLIENT_SECRET") {
			t.Errorf("%s: %s", name, out)
		}
	}
}
