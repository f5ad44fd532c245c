package shareendpoint_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/internal/shareendpoint"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

func TestMain(m *testing.M) { testkit.VerifyTestMain(m) }

// session returns a session with an opaque token, whose client can't be told.
func session(t *testing.T) *shsession.Session {
	t.Helper()
	token, err := shsession.ParseToken([]byte(`{"access_token": "opaque", "expires_at": 4e9}`))
	if err != nil {
		t.Fatal(err)
	}
	return shsession.FromToken(token)
}

func open(t *testing.T, o shareendpoint.Options) *shareendpoint.Endpoint {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	e, err := shareendpoint.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ask logs in and returns the answer's status.
func ask(t *testing.T, l child.Login) int {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).PostForm(l.TokenURL, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {l.ClientID}, "client_secret": {l.Secret.Reveal()},
	})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// A command's endpoint hands out the token from Start to Close, and has a profile from Open to
// Close. A client that connects before Start waits.
func TestEndpoint(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	e := open(t, shareendpoint.Options{ClientID: "the-client", Profile: &endpointprofile.Options{File: config, BaseURL: "https://service.test"}})
	if s := e.StatusFunc()(); s != (tokenendpoint.Status{}) {
		t.Errorf("status %+v before Start", s)
	}
	login := e.Login()
	login.ClientID = "the-client"
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(text), "["+login.Profile+"]") || !strings.Contains(string(text), login.TokenURL) {
		t.Errorf("config.toml is %q, %v", text, err)
	}
	early := make(chan int, 1)
	go func() { early <- ask(t, login) }()
	if err := e.Start(session(t)); err != nil {
		t.Fatal(err)
	}
	if now := e.Login(); now.ClientID != login.ClientID || now.Secret != login.Secret {
		t.Errorf("the login has changed: client %q", now.ClientID)
	}
	if got := []int{<-early, ask(t, e.Login())}; got[0] != http.StatusOK || got[1] != http.StatusOK {
		t.Errorf("answered %d", got)
	}
	if s := e.Status(); s.Handed != 2 || s.Clients != 2 {
		t.Errorf("status %+v", s)
	}
	e.Close()
	if _, err := os.Stat(config); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("config.toml is left: %v", err)
	}
}

// What clients need is printed, but for a secret that they find in a file.
func TestInstructions(t *testing.T) {
	dir := t.TempDir()
	socket, secretFile := filepath.Join(dir, "s"), filepath.Join(dir, "secret")
	for name, test := range map[string]struct {
		options shareendpoint.Options
		first   string
		lines   int
	}{
		"a port":                   {shareendpoint.Options{}, "token endpoint http://127.0.0.1:", 4},
		"a socket and a file":      {shareendpoint.Options{Addr: "unix:" + socket, SecretFile: secretFile}, "token endpoint http://localhost/token through the socket " + socket, 1},
		"the same, from that file": {shareendpoint.Options{SecretFile: secretFile}, "token endpoint http://127.0.0.1:", 1},
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(test.options.Addr, "unix:") {
			continue // where a socket has no owner
		}
		test.options.ClientID = "id with $"
		e := open(t, test.options)
		if err := e.Start(session(t)); err != nil {
			t.Fatal(err)
		}
		text := e.Instructions()
		e.Close()
		lines := strings.Split(text, "\n")
		if len(lines) != test.lines || !strings.HasPrefix(lines[0], test.first) {
			t.Errorf("%s: %q", name, text)
		}
		if secret := e.Login().Secret.Reveal(); strings.Contains(text, secret) == (test.options.SecretFile != "") {
			t.Errorf("%s: %q, with the secret %q", name, text, secret)
		}
		if len(lines) == 4 && lines[2] != "SH_CLIENT_ID='id with $'" {
			t.Errorf("%s: %q isn't for a shell", name, lines[2])
		}
	}
}

// After a mistake nothing is left, and the address is free again.
func TestOpenMistakes(t *testing.T) {
	dir := t.TempDir()
	bad, config := filepath.Join(dir, "bad"), filepath.Join(dir, "config.toml")
	for path, text := range map[string]string{bad: "no secret", config: "no TOML"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, o := range map[string]shareendpoint.Options{
		"an address of others": {Addr: "192.0.2.1:0"},
		"a bad secret":         {Addr: "unix:" + filepath.Join(dir, "s"), SecretFile: bad},
		"a bad config.toml":    {Addr: "unix:" + filepath.Join(dir, "s"), Profile: &endpointprofile.Options{File: config}},
	} {
		if e, err := shareendpoint.Open(t.Context(), o); err == nil || e != nil {
			t.Errorf("%s: no error", name)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if runtime.GOOS == "windows" {
		return // where a socket has no owner
	}
	e := open(t, shareendpoint.Options{Addr: "unix:" + filepath.Join(dir, "s")})
	if err := e.Start(session(t)); err == nil {
		t.Error("a client that can't be told: no error")
	}
	e.Close()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A profile that can't be removed is logged.
func TestCloseTellsWhatIsLeft(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.toml")
	var log bytes.Buffer
	e := open(t, shareendpoint.Options{
		Profile: &endpointprofile.Options{File: config}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err := os.WriteFile(config, []byte("no TOML"), 0o600); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	e.Close()
	if !strings.Contains(log.String(), "is left in config.toml") {
		t.Errorf("after %v the log has %q", time.Since(start), log.String())
	}
}

// Without an endpoint there is no login and nothing to close.
func TestNone(t *testing.T) {
	var e *shareendpoint.Endpoint
	e.Close()
	if e.Login() != (child.Login{}) || e.StatusFunc() != nil {
		t.Error("there is a login or a status")
	}
}
