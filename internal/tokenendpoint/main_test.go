package tokenendpoint_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

func TestMain(m *testing.M) {
	if os.Getenv(strangerVariable) != "" { // this process is another user's
		os.Exit(stranger())
	}
	testkit.VerifyTestMain(m)
}

const (
	clientID     = "sh-0a1b%2F:c" // with what Basic has to encode
	realSecret   = "the-real-client-secret"
	serviceRealm = "https://identity.test/auth/realms/main"
	host         = "127.0.0.1:8080"
)

var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// A rig is an endpoint over a session at an identity service, all in this process.
type rig struct {
	service  *identity.Server
	session  *shsession.Session
	endpoint *tokenendpoint.Endpoint
	secret   string       // the placeholder
	gets     atomic.Int64 // requests for the service's keys and discovery
	tokens   atomic.Int64 // new tokens of the session, once all is written that a login writes

	log testkit.Output
}

func newRig(t testing.TB, life time.Duration) *rig {
	t.Helper()
	r := &rig{secret: tokenendpoint.NewSecret().Reveal()}
	var err error
	r.service, err = identity.New(identity.Options{
		Clients:  []identity.Client{{ID: clientID, Secret: shsession.NewSecret(realSecret)}},
		Lifetime: life, Key: signingKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	client := &http.Client{Transport: r}
	r.session, err = shsession.New(shsession.Config{
		ClientID: clientID, ClientSecret: shsession.NewSecret(realSecret),
		TokenURL: serviceRealm + "/protocol/openid-connect/token", HTTPClient: client, Logger: logger,
		OnToken: func(shsession.Token) { r.tokens.Add(1) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.endpoint, err = tokenendpoint.New(r.session, tokenendpoint.Options{
		ClientID: clientID, Secret: shsession.NewSecret(r.secret), HTTPClient: client, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, leak := range []string{realSecret, r.secret, "eyJ"} {
			if strings.Contains(r.log.String(), leak) {
				t.Errorf("the log has a secret: %s", r.log.String())
			}
		}
	})
	return r
}

// RoundTrip is the way to the service.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		r.gets.Add(1)
	}
	return r.service.RoundTripper().RoundTrip(req)
}

// roundTripFunc is a service made of a function.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// endpointWith returns another endpoint, which gets the service's keys by a function.
func (r *rig) endpointWith(t *testing.T, service roundTripFunc) *tokenendpoint.Endpoint {
	t.Helper()
	e, err := tokenendpoint.New(r.session, tokenendpoint.Options{
		ClientID: clientID, Secret: shsession.NewSecret(r.secret), HTTPClient: &http.Client{Transport: service},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// login makes the session log in, as it has when an endpoint begins.
func (r *rig) login(t testing.TB) shsession.Token {
	t.Helper()
	token, err := r.session.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// form is that of a good login.
func (r *rig) form() url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {r.secret}}
}

// post is a token request.
func (r *rig) post(form url.Values) *http.Request {
	req := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(form.Encode()))
	req.Host = host
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// An answer is what came back, and how long that took.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	took   time.Duration
}

func (a answer) text(key string) string {
	s, _ := a.body[key].(string)
	return s
}

func (a answer) keys() []string { return slices.Sorted(maps.Keys(a.body)) }

// expiresIn is the life in the answer.
func (a answer) expiresIn() time.Duration {
	seconds, _ := a.body["expires_in"].(float64)
	return time.Duration(seconds) * time.Second
}

// send has a handler answer a request.
func send(t testing.TB, h http.Handler, req *http.Request) answer {
	t.Helper()
	start := time.Now()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	a := answer{status: rec.Code, header: rec.Result().Header, took: time.Since(start)}
	a.body = decode(t, rec.Body.Bytes())
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
		"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "",
	} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	return a
}

func (r *rig) send(t testing.TB, req *http.Request) answer {
	t.Helper()
	return send(t, r.endpoint, req)
}

// wantToken checks that the answer has the session's token.
func (r *rig) wantToken(t testing.TB, a answer) {
	t.Helper()
	token := r.login(t)
	if a.status != http.StatusOK || a.text("access_token") != token.AccessToken() {
		t.Errorf("answered %d %s %q without the session's token", a.status, a.text("error"), a.text("error_description"))
	}
}

// decode decodes a JSON object.
func decode(t testing.TB, data []byte) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal(data, &object); err != nil {
		t.Errorf("%q is not a JSON object", data)
	}
	return object
}
