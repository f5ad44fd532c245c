package shsession_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/storetest"
)

// The token goes to the service's origin, and to those that are named. A request to another
// isn't sent.
func TestTransportOrigins(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	based := cfg
	based.BaseURL = "https://api.example/sub"
	opaque := tokenOf(t, "opaque")
	store := new(storetest.Memory)
	if err := store.Publish(t.Context(), mustToken(t, newSession(t, cfg))); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		session *shsession.Session
		named   []string
		allowed []string
		refused []string
	}{
		"a base URL": {newSession(t, based), nil,
			[]string{"https://api.example", "https://API.example:443/x"},
			[]string{"https://identity.example", "https://api.example:444", "https://sub.api.example"}},
		"an issuer": {newSession(t, cfg), nil,
			[]string{"https://identity.example/"}, []string{"https://api.example"}},
		"an issuer that only the token tells": {shsession.Follow(store), nil,
			[]string{"https://identity.example/"}, []string{"https://api.example"}},
		"named ones": {newSession(t, based), []string{"https://other.example", "https://third.example:8443/path"},
			[]string{"https://api.example", "https://other.example/", "https://third.example:8443"},
			[]string{"https://third.example", "https://fourth.example"}},
		"nothing that tells": {shsession.FromToken(opaque), nil,
			nil, []string{"https://services.sentinel-hub.com"}},
		"nothing but a name": {shsession.FromToken(opaque), []string{"https://other.example"},
			[]string{"https://other.example"}, []string{"https://services.sentinel-hub.com"}},
		"what is no origin": {newSession(t, based), []string{"api.example"},
			nil, []string{"https://api.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			client := &http.Client{Transport: c.session.Transport(roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
					sent = append(sent, r.URL.String())
				}
				return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
			}), c.named...)}
			for _, url := range c.refused {
				_, err := client.Get(url)
				if err == nil || !strings.Contains(err.Error(), "origin") {
					t.Errorf("%s: %v", url, err)
				}
			}
			for _, url := range c.allowed {
				if _, err := client.Get(url); err != nil {
					t.Errorf("%s: %v", url, err)
				}
			}
			if !slices.Equal(sent, c.allowed) {
				t.Errorf("tokens went to %v, want %v", sent, c.allowed)
			}
		})
	}
}

// A request to elsewhere costs no login, where the service is known without one.
func TestTransportRefusesBeforeALogin(t *testing.T) {
	service, cfg := newService(t, time.Hour)
	if _, err := newSession(t, cfg).Client().Get("https://elsewhere.example"); err == nil {
		t.Error("a request to elsewhere was sent")
	}
	if n := service.Counters().TokenRequests; n != 0 {
		t.Error("a request to elsewhere cost a login")
	}
}

// A service's tokens go to its API, which isn't where they are issued.
func TestTransportOfKnownServices(t *testing.T) {
	for issuer, api := range map[string]string{
		"https://identity.dataspace.copernicus.eu/auth/realms/CDSE":        "https://sh.dataspace.copernicus.eu/api",
		"https://services.sentinel-hub.com/auth/realms/main":               "https://services.sentinel-hub.com/api",
		"https://services-uswest2.sentinel-hub.com/oauth/auth/realms/main": "https://services.sentinel-hub.com/api",
		"https://keycloak.example:8443/realms/a":                           "https://keycloak.example:8443/api",
	} {
		token := tokenOf(t, jwt(fmt.Sprintf(`{"iss": %q}`, issuer)))
		client := &http.Client{Transport: shsession.FromToken(token).Transport(roundTripFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		}))}
		if _, err := client.Get(api); err != nil {
			t.Errorf("%s: %v", issuer, err)
		}
	}
}

// A request that has its own Authorization keeps it, wherever it goes, and its 401 is no
// business of the session's.
func TestTransportKeepsAuthorization(t *testing.T) {
	service, cfg := newService(t, time.Hour)
	s := newSession(t, cfg)
	token := mustToken(t, s)
	rec := newRecorder(t, func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, rec.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer of-my-own")
	resp, err := clientOn(s).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if !slices.Equal(rec.tokens, []string{"of-my-own"}) || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("status %d, and the server saw %d requests, want the caller's own alone", resp.StatusCode, len(rec.tokens))
	}
	if got := mustToken(t, s); !got.Equal(token) || service.Counters().TokensIssued != 1 {
		t.Error("the session's token was rejected")
	}
}

// A session that is given a token begins with that, and renews it in its time.
func TestConfigToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		cfg.Token = mustToken(t, newSession(t, cfg))
		s := newSession(t, cfg)
		if got := mustToken(t, s); !got.Equal(cfg.Token) || service.Counters().TokensIssued != 1 {
			t.Error("the session doesn't begin with the token that it was given")
		}
		time.Sleep(59 * time.Minute)
		if got := mustToken(t, s); got.Equal(cfg.Token) || service.Counters().TokensIssued != 2 {
			t.Error("the token that was given isn't renewed")
		}
		time.Sleep(2 * time.Hour)
		if got := mustToken(t, newSession(t, cfg)); got.Equal(cfg.Token) {
			t.Error("a token that had expired when it was given is used")
		}
		cfg.ClientID = "another"
		if _, err := shsession.New(cfg); err == nil || !strings.Contains(err.Error(), clientID) {
			t.Errorf("another client's token was taken: %v", err)
		}
	})
}
