package interop_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/internal/tokenendpoint"
	"github.com/shsession/shsession/shconfig"
)

// An endpoint is a token endpoint on this machine, and what its command knows of it.
type endpoint struct {
	service *identity.Server
	url     string // the service's
	login   child.Login
	env     []string // the command's
	socket  string   // the path of a Unix socket where the endpoint listens too
	status  func() tokenendpoint.Status
}

// startEndpoint starts a service with tokens of a life and a token endpoint before it, whose
// command's environment names a proxy that nothing may ask.
func startEndpoint(t *testing.T, life time.Duration) endpoint {
	t.Helper()
	service, url := listen(t, identity.Options{Lifetime: life})
	session, err := shsession.New(shsession.Config{
		ClientID: identity.DevelopmentID, ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		BaseURL: url, TokenURL: realmOf(url) + "/protocol/openid-connect/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	secret := tokenendpoint.NewSecret()
	handler, err := tokenendpoint.New(session, tokenendpoint.Options{ClientID: identity.DevelopmentID, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	e := endpoint{service: service, url: url, status: handler.Status}
	home := t.TempDir()
	e.socket = filepath.Join(home, "socket")
	e.login = child.Login{
		ClientID: identity.DevelopmentID, Secret: secret, TokenURL: serveEndpoint(t, handler, ""),
	}
	serveEndpoint(t, handler, "unix:"+e.socket)
	e.login.Profile = addProfile(t, filepath.Join(home, "sentinelhub", "config.toml"), url, e.login.TokenURL)
	e.env = child.Environ(append(proxyTrap(t),
		"PATH="+os.Getenv("PATH"), "HOME="+home, "XDG_CONFIG_HOME="+home, "PYTHONDONTWRITEBYTECODE=1",
		"SH_CLIENT_SECRET="+identity.DevelopmentSecret, "NO_PROXY=corp.example",
	), child.Shared{Login: e.login})
	return e
}

// serveEndpoint serves an endpoint for as long as the test runs, and returns its token URL.
func serveEndpoint(t *testing.T, handler *tokenendpoint.Endpoint, addr string) string {
	t.Helper()
	ln, err := tokenendpoint.Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- handler.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return tokenendpoint.TokenURL(ln.Addr())
}

// addProfile gives a command a profile, whose retries are those of a default profile that is made
// there too, and returns its name.
func addProfile(t *testing.T, path, baseURL, tokenURL string) string {
	t.Helper()
	err := shconfig.Update(t.Context(), path, func(f *shconfig.File) error {
		return f.Set(shconfig.DefaultProfile, shconfig.Settings{
			ClientID: "unknown", ClientSecret: shsession.NewSecret("wrong"), DownloadSleepTime: 200 * time.Millisecond,
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := endpointprofile.Add(t.Context(), endpointprofile.Options{File: path, BaseURL: baseURL, TokenURL: tokenURL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := profile.Remove(context.Background()); err != nil {
			t.Error(err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("config.toml is %q, %v; it was %q", after, err, before)
		}
	})
	return profile.Name()
}

// proxyTrap returns the variables that name a proxy, and fails the test if something connects to
// that.
func proxyTrap(t *testing.T) []string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
		if n := asked.Load(); n != 0 {
			t.Errorf("the proxy was asked %d times", n)
		}
	})
	proxy := "http://" + ln.Addr().String()
	return []string{"HTTP_PROXY=" + proxy, "http_proxy=" + proxy, "HTTPS_PROXY=" + proxy, "https_proxy=" + proxy, "ALL_PROXY=" + proxy}
}

// api is an address of the service that wants a token.
func (e endpoint) api() string { return e.url + "/api/v1/catalog/1.0.0/collections" }

// checkUse looks at whether the API was asked, always with a valid token, and how often somebody
// logged in for that.
func (e endpoint) checkUse(t *testing.T, requests, fewest, most int64) {
	t.Helper()
	c := e.service.Counters()
	if c.APIAuthorized < requests || c.APIUnauthorized != 0 {
		t.Errorf("%d requests to the API had a valid token, want %d; %d had none", c.APIAuthorized, requests, c.APIUnauthorized)
	}
	if c.TokensIssued < fewest || c.TokensIssued > most || c.TokenRequests != c.TokensIssued {
		t.Errorf("%d logins of %d succeeded, want %d to %d", c.TokensIssued, c.TokenRequests, fewest, most)
	}
	s := e.status()
	t.Logf("%d logins for %d tokens handed out and %d requests to the API", c.TokensIssued, s.Handed, c.APIAuthorized)
	if s.Refused != 0 || s.Unavailable != 0 {
		t.Errorf("the endpoint refused %d requests and had no token for %d", s.Refused, s.Unavailable)
	}
}

// A stranger who has the address, and even the real secret, gets nothing and causes no login.
func TestEndpointRefuses(t *testing.T) {
	t.Parallel()
	e := startEndpoint(t, time.Minute)
	s := service{http: http.DefaultClient, issuer: realmOf(e.url), client: credentials{identity.DevelopmentID, identity.DevelopmentSecret}}
	req := s.tokenRequest(t, s.loginForm())
	target, err := http.NewRequest(http.MethodPost, e.login.TokenURL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.URL, req.Host = target.URL, ""
	if a := s.do(t, req); a.status != http.StatusUnauthorized || a.text("error") != "invalid_client" || a.text("error_description") != badClient {
		t.Errorf("answered %d %v", a.status, a.body)
	}
	if n := e.service.Counters().TokenRequests; n != 0 {
		t.Errorf("%d logins", n)
	}
}
