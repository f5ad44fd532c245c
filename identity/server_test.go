package identity_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

func TestNewRefuses(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]identity.Options{
		"client without secret": {Clients: []identity.Client{{ID: "a"}}},
		"client without id":     {Clients: []identity.Client{{Secret: shsession.NewSecret("a")}}},
		"client twice":          {Clients: []identity.Client{{ID: "a", Secret: shsession.NewSecret("b")}, {ID: "a", Secret: shsession.NewSecret("c")}}},
		"negative lifetime":     {Lifetime: -1},
		"small key":             {Key: small},
		"base URL":              {BaseURL: "example.org"},
		"claims not JSON":       {Claims: map[string]any{"x": math.NaN()}},
	} {
		if s, err := identity.New(o); err == nil || s != nil {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

// The one test that lets the Server make its own key.
func TestZeroOptions(t *testing.T) {
	s, err := identity.New(identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := service{s, newService(t, identity.Options{}).client, t}
	r.client.Transport = s.RoundTripper()
	std, _ := verify(t, r, mainRealm, r.login())
	if std.Subject == "" {
		t.Error("no subject")
	}
}

func TestClaimsAreCopied(t *testing.T) {
	claims := map[string]any{"account": "first"}
	s := newService(t, identity.Options{Claims: claims})
	claims["account"] = "second"
	if _, got := verify(t, s, mainRealm, s.login()); got["account"] != "first" {
		t.Errorf("account %v", got["account"])
	}
}

func TestCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, identity.Options{})
		s.Inject(identity.MustParseFault("slow:1s"), 50)
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { s.login() })
		}
		wg.Wait()
		token := s.login()
		s.post(tokenPath, with("client_secret", "wrong"))
		s.get(processPath, token)
		s.get(processPath, "")
		want := identity.Counters{
			TokenRequests: 52, TokensIssued: 51, TokensRefused: 1, FaultsServed: 50, MaxConcurrent: 50,
			APIRequests: 2, APIAuthorized: 1, APIUnauthorized: 1,
		}
		if diff := cmp.Diff(want, s.Counters()); diff != "" {
			t.Error(diff)
		}
		var got identity.Counters
		if err := json.Unmarshal([]byte(s.get("/counters", "").body), &got); err != nil || got != want {
			t.Errorf("over HTTP: %+v, %v", got, err)
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	s := newService(t, identity.Options{})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s.Inject(identity.MustParseFault("slow:1ns"), 1)
			token := s.login()
			s.get(processPath, token)
			if i%2 == 0 {
				s.Revoke(token)
			} else {
				s.RevokeAll()
			}
			s.SetLifetime(1)
			_, _ = s.Counters(), s.Rules()
			s.Clear()
		})
	}
	wg.Wait()
	if c := s.Counters(); c.TokensIssued != 8 || c.APIRequests != 8 {
		t.Errorf("%+v", c)
	}
}

func TestLog(t *testing.T) {
	var log bytes.Buffer
	s := newService(t, identity.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil))})
	token := s.login()
	s.get(processPath+"?access_token="+token, token)
	s.Inject(identity.MustParseFault("drop"), 1)
	if resp, _, err := send(t.Context(), s.client, host); err == nil {
		t.Errorf("dropped request got %v", resp)
	}
	if strings.Contains(log.String(), identity.DevelopmentSecret) || strings.Contains(log.String(), token) {
		t.Errorf("a secret in the log:\n%s", &log)
	}
	for i, want := range []struct {
		path   string
		status float64
	}{{tokenPath, 200}, {processPath, 200}, {tokenPath, 0}} {
		line, err := log.ReadBytes('\n')
		var got map[string]any
		if err != nil || json.Unmarshal(line, &got) != nil || got["path"] != want.path || got["status"] != want.status {
			t.Errorf("line %d: %s, want %v", i, line, want)
		}
	}
}
