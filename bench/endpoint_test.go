package bench

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/shsession/shsession"
)

const (
	clientID     = "benchmark"
	clientSecret = "not-a-secret"

	hour = time.Hour
)

// An endpoint is a token endpoint on the loopback interface, and a RoundTripper
// that answers without any network.
type endpoint struct {
	url      string
	size     int           // of an access token, in bytes
	delay    time.Duration // between a request and its answer
	requests atomic.Int64

	mu       sync.Mutex // guards the fields below
	firstFor time.Duration
	lifetime time.Duration
	began    time.Time // the first request since reset
	ended    time.Time // the last answer
}

// newEndpoint returns an endpoint whose tokens live an hour. It ends with the benchmark.
func newEndpoint(b testing.TB, delay time.Duration) *endpoint {
	e := &endpoint{size: 1 << 10, delay: delay, lifetime: hour}
	server := httptest.NewServer(e)
	b.Cleanup(server.Close)
	e.url = server.URL + "/token" // which tells no issuer: the tokens say they are the service's
	return e
}

// first makes the next token live for d, unlike those after it.
func (e *endpoint) first(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.firstFor = d
}

// reset forgets the requests so far.
func (e *endpoint) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests.Store(0)
	e.began, e.ended = time.Time{}, time.Time{}
}

// underway returns when the first request since reset began and the last ended, zero
// times if none has.
func (e *endpoint) underway() (began, ended time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.began, e.ended
}

// answer makes a new token, after the delay.
func (e *endpoint) answer() string {
	e.mu.Lock()
	serial, life := e.requests.Add(1), e.lifetime
	if e.firstFor > 0 {
		life, e.firstFor = e.firstFor, 0
	}
	if e.began.IsZero() {
		e.began = time.Now()
	}
	e.mu.Unlock()
	if e.delay > 0 {
		time.Sleep(e.delay)
	}
	text := tokenResponse(e.size, serial, life)
	e.mu.Lock()
	e.ended = time.Now()
	e.mu.Unlock()
	return text
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, e.answer())
}

// RoundTrip answers in the caller's goroutine.
func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(strings.NewReader(e.answer())),
		Request:    r,
	}, nil
}

// tokenResponse returns what Keycloak answers to a login.
func tokenResponse(size int, serial int64, life time.Duration) string {
	return fmt.Sprintf(`{"access_token":%q,"expires_in":%g,"refresh_expires_in":0,"token_type":"Bearer","not-before-policy":0,"scope":"profile email"}`,
		accessToken(size, serial, life), life.Seconds())
}

// accessToken returns a JWT of about that many bytes, with the claims that Keycloak makes.
func accessToken(size int, serial int64, life time.Duration) string {
	now := time.Now()
	claims := map[string]any{
		"exp": now.Add(life).Unix(), "iat": now.Unix(), "jti": fmt.Sprintf("%032x", serial),
		"iss": "https://services.sentinel-hub.com/auth/realms/main", "aud": "https://api.planet.com/",
		"sub": "d5a5a1f4-6d2c-4b0e-9d61-4d6b1b2f3c11", "typ": "Bearer", "azp": clientID,
		"scope": "profile email", "clientHost": "192.0.2.7", "account": "5cbd9a3e-2a6c-4f1f-a6d8-0f6d4a3b7e21",
	}
	const signature = 342 // RS256 with a key of 2048 bits
	part := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	head := part(map[string]string{"alg": "RS256", "typ": "JWT", "kid": "benchmark-key"}) + "."
	if missing := size - signature - len(head) - len(part(claims)) - 20; missing > 0 {
		claims["groups"] = strings.Repeat("g", missing*3/4)
	}
	return head + part(claims) + "." + strings.Repeat("s", signature)
}

// issue returns a token as a session would have it from a login.
func issue(b testing.TB, size int, serial int64, life time.Duration) shsession.Token {
	b.Helper()
	fields := strings.TrimSuffix(tokenResponse(size, serial, life), "}")
	t, err := shsession.ParseToken(fmt.Appendf(nil, `%s,"expires_at":%d}`, fields, time.Now().Add(life).Unix()))
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// config is for sessions at this endpoint, over the network or, if local, without.
func (e *endpoint) config(local bool) shsession.Config {
	cfg := shsession.Config{
		ClientID:     clientID,
		ClientSecret: shsession.NewSecret(clientSecret),
		TokenURL:     e.url,
		Logger:       slog.New(slog.DiscardHandler),
	}
	if local {
		cfg.HTTPClient = &http.Client{Transport: e}
	}
	return cfg
}

// exchange is for x/oauth2's client credentials at this endpoint.
func (e *endpoint) exchange() *clientcredentials.Config {
	return &clientcredentials.Config{
		ClientID: clientID, ClientSecret: clientSecret, TokenURL: e.url, AuthStyle: oauth2.AuthStyleInParams,
	}
}
