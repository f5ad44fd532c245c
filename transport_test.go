package shsession_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

func TestTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		client := &http.Client{Transport: s.Transport(service.RoundTripper())}
		get := func() int {
			t.Helper()
			resp, err := client.Get(apiURL)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			return resp.StatusCode
		}
		for range 10 {
			if got := get(); got != http.StatusOK {
				t.Errorf("status %d", got)
			}
			time.Sleep(30 * time.Minute)
		}
		service.RevokeAll() // a 401 for a token that looks fresh
		if got := get(); got != http.StatusOK {
			t.Errorf("status %d after the token was revoked", got)
		}
	})
}

// recorder is a server that keeps what came, and answers by a function.
type recorder struct {
	*httptest.Server
	mu     sync.Mutex // guards what follows
	tokens []string
	bodies []string
}

func newRecorder(t *testing.T, respond func(n int, w http.ResponseWriter, r *http.Request)) *recorder {
	rec := &recorder{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		rec.mu.Lock()
		rec.tokens = append(rec.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		rec.bodies = append(rec.bodies, string(body))
		n := len(rec.tokens)
		rec.mu.Unlock()
		respond(n, w, r)
	}))
	t.Cleanup(rec.Close)
	return rec
}

func unauthorizedFirst(n int, w http.ResponseWriter, _ *http.Request) {
	if n == 1 {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// clientOn returns a client with a session's token, on connections that end with the
// test.
func clientOn(s *shsession.Session, origins ...string) *http.Client {
	base := &http.Transport{DisableKeepAlives: true}
	return &http.Client{Transport: s.Transport(base, origins...)}
}

func TestTransportSendsAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body  io.Reader
		times int
	}{
		"no body":          {nil, 2},
		"a replayable one": {strings.NewReader("hello"), 2},
		"a stream":         {io.MultiReader(strings.NewReader("hello")), 1},
	} {
		rec := newRecorder(t, unauthorizedFirst)
		_, cfg := newService(t, time.Hour)
		req, err := http.NewRequest(http.MethodPost, rec.URL, c.body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := clientOn(newSession(t, cfg), rec.URL).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(rec.tokens) != c.times {
			t.Errorf("%s: sent %d times, want %d", name, len(rec.tokens), c.times)
		}
		if c.times == 2 && (rec.tokens[0] == rec.tokens[1] || rec.bodies[0] != rec.bodies[1] || resp.StatusCode != http.StatusOK) {
			t.Errorf("%s: the second time differs in body, or has the same token (status %d)", name, resp.StatusCode)
		}
		if c.times == 1 && resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: status %d, want the 401", name, resp.StatusCode)
		}
		if req.Header.Get("Authorization") != "" {
			t.Errorf("%s: the caller's request was changed", name)
		}
	}
}

// A second 401 is the caller's, with its body whole; a session that can't renew doesn't
// try.
func TestTransportGivesUp(t *testing.T) {
	refuse := func(_ int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, "no entry")
	}
	_, cfg := newService(t, time.Hour)
	s := newSession(t, cfg)
	for name, c := range map[string]struct {
		session *shsession.Session
		times   int
	}{"renewing": {s, 2}, "fixed": {shsession.FromToken(mustToken(t, s)), 1}} {
		rec := newRecorder(t, refuse)
		resp, err := clientOn(c.session, rec.URL).Get(rec.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized || string(body) != "no entry" || len(rec.tokens) != c.times {
			t.Errorf("%s: %d %q after %d requests, want %d", name, resp.StatusCode, body, len(rec.tokens), c.times)
		}
	}
}

// The token goes to the named origin and nowhere else, also not after a detour.
func TestTransportAndRedirects(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	s := newSession(t, cfg)
	var home *recorder
	away := newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, home.URL+"/back", http.StatusTemporaryRedirect)
	})
	home = newRecorder(t, func(_ int, w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			http.Redirect(w, r, "/inside", http.StatusTemporaryRedirect)
		case "/inside":
			http.Redirect(w, r, away.URL, http.StatusTemporaryRedirect)
		}
	})
	resp, err := clientOn(s, home.URL).Get(home.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	token := mustToken(t, s).AccessToken()
	if want := []string{token, token, ""}; fmt.Sprint(home.tokens) != fmt.Sprint(want) {
		t.Errorf("home saw tokens on %d requests, want the first two of three", len(home.tokens))
	}
	if len(away.tokens) != 1 || away.tokens[0] != "" {
		t.Error("a token went away")
	}
}

// A base that doesn't say which request it answers must not hide where a redirect came
// from.
func TestTransportWithForgetfulBase(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	s := newSession(t, cfg)
	var hosts, tokens []string
	base := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		hosts = append(hosts, r.URL.Host)
		tokens = append(tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		next := map[string]string{
			"https://home.example/":           "https://HOME.example:443/inside",
			"https://HOME.example:443/inside": "https://away.example/",
			"https://away.example/":           "https://home.example/back",
		}[r.URL.String()]
		if next == "" {
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		}
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {next}}, Body: http.NoBody}, nil
	})
	resp, err := (&http.Client{Transport: s.Transport(base, "https://home.example")}).Get("https://home.example/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	token := mustToken(t, s).AccessToken()
	if want := []string{token, token, "", ""}; !slices.Equal(tokens, want) {
		t.Errorf("of the requests to %v the first two should have a token, and only they", hosts)
	}
}

func TestTransportRefusesPlainHTTP(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	sent := 0
	base := roundTripFunc(func(*http.Request) (*http.Response, error) {
		sent++
		return nil, errors.New("sent")
	})
	client := &http.Client{Transport: newSession(t, cfg).Transport(base, "http://api.example")}
	if _, err := client.Get("http://api.example/"); err == nil || sent != 0 {
		t.Errorf("a token was sent unencrypted: %v", err)
	}
	cfg.AllowHTTP = true
	client.Transport = newSession(t, cfg).Transport(base, "http://api.example")
	if _, err := client.Get("http://api.example/"); err == nil || sent != 1 {
		t.Errorf("AllowHTTP doesn't allow it: %v", err)
	}
}

func TestTransportWithoutToken(t *testing.T) {
	service, cfg := newService(t, time.Hour)
	cfg.MaxAttempts = 1
	service.Inject(identity.MustParseFault("503"), 0)
	body := &closeRecorder{Reader: strings.NewReader("x")}
	req, err := http.NewRequest(http.MethodPost, apiURL, body)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: newSession(t, cfg).Transport(service.RoundTripper())}
	_, err = client.Do(req)
	var endpoint *shsession.EndpointError
	if !errors.As(err, &endpoint) {
		t.Errorf("%v, want the EndpointError", err)
	}
	if !body.closed {
		t.Error("the request's body wasn't closed")
	}
	if service.Counters().APIRequests != 0 {
		t.Error("a request was sent without a token")
	}
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error { c.closed = true; return nil }
