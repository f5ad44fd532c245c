package identity_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

func TestMain(m *testing.M) { testkit.VerifyTestMain(m) }

const (
	host      = "https://identity.test"
	mainRealm = "/auth/realms/main"
	tokenPath = mainRealm + "/protocol/openid-connect/token"
)

// service is a Server and a client that reaches it in process.
type service struct {
	*identity.Server
	client *http.Client
	t      testing.TB
}

func newService(t testing.TB, o identity.Options) service {
	t.Helper()
	s := testkit.NewService(t, o)
	client := &http.Client{
		Transport:     s.RoundTripper(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return service{s, client, t}
}

// reply is an answer read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) decode(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("body %q: %v", r.body, err)
	}
	return v
}

func (s service) do(req *http.Request) reply {
	s.t.Helper()
	resp, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

func (s service) request(method, path, body string) *http.Request {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, host+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	return req
}

// post sends a form.
func (s service) post(path string, form url.Values) reply {
	s.t.Helper()
	req := s.request(http.MethodPost, path, form.Encode())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.do(req)
}

// get sends a request with token, if there is one.
func (s service) get(path, token string) reply {
	s.t.Helper()
	req := s.request(http.MethodGet, path, "")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return s.do(req)
}

// login returns a token for the development client.
func (s service) login() string {
	s.t.Helper()
	r := s.post(tokenPath, credentials())
	if r.status != http.StatusOK {
		s.t.Fatalf("login: %d %s", r.status, r.body)
	}
	return r.decode(s.t)["access_token"].(string)
}

// credentials is the form of a good token request.
func credentials() url.Values {
	return url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {identity.DevelopmentID},
		"client_secret": {identity.DevelopmentSecret},
	}
}

// with returns the form of a good token request with one field replaced, or removed if value is empty.
func with(name, value string) url.Values {
	form := credentials()
	form.Set(name, value)
	if value == "" {
		form.Del(name)
	}
	return form
}
