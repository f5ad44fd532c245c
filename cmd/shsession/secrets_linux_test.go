package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// aToken matches any token of the identity service.
var aToken = regexp.MustCompile(`eyJ[\w-]{10,}\.[\w-]{10,}\.`)

// demoSecret matches the secret that the demo makes up, as crypto/rand.Text writes it.
var demoSecret = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)

// A call is one run of the command in the test of secrets.
type call struct {
	args    string
	isToken bool   // standard output is the token itself
	until   string // it runs until it is stopped, once it has written this
}

func everyCommand(name string) []call {
	return []call{
		{args: "token", isToken: true},
		{args: "token --json", isToken: true},
		{args: "token --no-cache", isToken: true},
		{args: "token --min-ttl 100h"},
		{args: "headers", isToken: true},
		{args: "headers --format json", isToken: true},
		{args: "info"},
		{args: "info --json"},
		{args: "info --verify"},
		{args: "login --client-id y"},
		{args: "profile set x --client-id y"},
		{args: "profile show"},
		{args: "profile show x"},
		{args: "profile show x --json"},
		{args: "profile list"},
		{args: "profile path"},
		{args: "profile remove x"},
		{args: "share --name " + name, until: "sharing a token"},
		{args: "collect " + name, isToken: true},
		{args: "collect " + name + " --token", isToken: true},
		{args: "status"},
		{args: "status --json"},
		{args: "proxy --listen 127.0.0.1:0", until: "forwarding"},
		{args: "logout"},
		{args: "identity --listen 127.0.0.1:0 --client id:" + scriptSecret, until: "Interrupt to stop the service."},
		{args: "version"},
		{args: "completion bash"},
		{args: "help"},
	}
}

// logsIn reports whether it matters to the command how a login goes.
func (c call) logsIn() bool {
	command, _, _ := strings.Cut(c.args, " ")
	return slices.Contains([]string{"token", "headers", "info", "share"}, command)
}

// No command shows the client's secret, and only those that are for it the token, under -v and
// whatever the service answers.
func TestNoSecretIsShown(t *testing.T) {
	t.Parallel()
	scenarios := map[string]func(t *testing.T) []string{
		"good": func(t *testing.T) []string {
			_, env := startService(t)
			return env
		},
		"refused": func(t *testing.T) []string {
			_, env := startService(t)
			return append(env, "SH_CLIENT_ID=nobody")
		},
		"failing": func(t *testing.T) []string {
			service, env := startService(t)
			service.Inject(identity.MustParseFault("404"), 0)
			return env
		},
		"echoing": startEcho,
	}
	for _, fault := range []string{"malformed", "cut", "html", "no-expiry"} { // a login succeeds with the last
		scenarios[fault] = func(t *testing.T) []string {
			service, env := startService(t)
			service.Inject(identity.MustParseFault(fault), 0)
			return env
		}
	}
	t.Run("demo", func(t *testing.T) {
		t.Parallel()
		call{args: "demo"}.check(t, []string{"SH_CLIENT_ID=me", "SH_CLIENT_SECRET=" + scriptSecret})
	})
	for name, start := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := append(start(t), "XDG_CONFIG_HOME="+oneAttempt(t))
			segment := unique()
			t.Cleanup(func() { shm.Remove(context.Background(), segment) }) // the note and locks of a login that failed
			for _, c := range everyCommand(segment) {
				if name == "good" || c.logsIn() {
					c.check(t, env)
				}
			}
		})
	}
}

// oneAttempt returns a directory for configurations whose default profile makes
// one attempt at a login, and waits half a second before the next login.
func oneAttempt(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sentinelhub"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := []byte("[default-profile]\nmax_download_attempts = 1\ndownload_sleep_time = 0.5\n[x]\nmax_download_attempts = 1\n")
	if err := os.WriteFile(filepath.Join(dir, "sentinelhub", "config.toml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// startEcho starts a token endpoint that quotes the request, secret and all, in its error.
func startEcho(t *testing.T) []string {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"%s isn't right"}`, r.PostFormValue("client_secret"))
	}))
	t.Cleanup(echo.Close)
	client := unique()
	t.Cleanup(func() { removeSegments(client, echo.URL) })
	return []string{"SH_BASE_URL=" + echo.URL, "SH_TOKEN_URL=" + echo.URL, "SH_CLIENT_ID=" + client, "SH_CLIENT_SECRET=" + scriptSecret}
}

// check runs the command and looks at all that it writes.
func (c call) check(t *testing.T, env []string) {
	t.Helper()
	p := command(t, env, append(strings.Fields(c.args), "-v")...)
	p.Stdin = strings.NewReader(scriptSecret + "\n")
	p.start(t)
	if c.until != "" {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.Wait()
		}()
		testkit.Eventually(t, c.args, func() bool {
			select {
			case <-ended:
				return true
			default:
				return strings.Contains(p.out.String(), c.until)
			}
		})
		p.Process.Signal(os.Interrupt) // an error means that it has ended
		<-ended
	}
	p.exit(t)
	for stream, text := range map[string]string{"standard output": p.out.String(), "standard error": p.err.String()} {
		if strings.Contains(text, scriptSecret) || c.args == "demo" && demoSecret.MatchString(text) {
			t.Errorf("%s: the secret is on %s:\n%s", c.args, stream, text)
		}
		if aToken.MatchString(text) && !(c.isToken && stream == "standard output") {
			t.Errorf("%s: a token is on %s:\n%s", c.args, stream, text)
		}
	}
}

// The demo's children have no secret among their arguments or in their environment, and
// none outlives it.
func TestChildrenHaveNoSecret(t *testing.T) {
	t.Parallel()
	p := command(t, []string{"SH_CLIENT_ID=me", "SH_CLIENT_SECRET=" + scriptSecret}, "demo")
	p.start(t)
	testkit.Eventually(t, "eight children", func() bool { return len(children(p.Process.Pid)) >= 8 })
	pids, ended := children(p.Process.Pid), map[int]bool{}
	for _, pid := range pids {
		for _, file := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) { // the demo kills two of them
				ended[pid] = true
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte("SH_")) || bytes.Contains(text, []byte(scriptSecret)) ||
				aToken.Match(text) || demoSecret.Match(text) {
				t.Errorf("a secret is in a child's %s: %q", file, text)
			}
		}
	}
	if len(ended) == len(pids) {
		t.Error("all children ended before they were looked at")
	}
	p.Process.Signal(os.Interrupt)
	if got := p.exit(t); got != 130 && got != exitOK { // on a busy machine it comes to its end before the signal
		t.Errorf("exit code %d, want 130", got)
	}
	for _, pid := range pids {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
			t.Errorf("child %d lives on", pid)
		}
	}
	store, err := shm.Open(fmt.Sprintf("shsession-demo-%d", p.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Load(context.Background()); err == nil {
		t.Error("the demo's segment is left behind")
	}
}

// children returns the processes that a process has started and that live.
func children(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var pid, ppid int
		var state string
		fmt.Sscan(string(text), &pid)
		_, rest, _ := strings.Cut(string(text), ") ") // after the name
		fmt.Sscan(rest, &state, &ppid)
		if ppid == parent && state != "Z" {
			pids = append(pids, pid)
		}
	}
	return pids
}
