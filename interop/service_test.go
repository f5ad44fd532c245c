package interop_test

import (
	"embed"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

//go:embed keycloak/realm-main.json
var realmFile embed.FS

// A service is an identity service that the contract is checked against.
type service struct {
	http   *http.Client
	issuer string // the realm's URL
	whoami string // answers 200 to a GET with a valid token of scope openid, and 401 to others
	client credentials
	closed credentials // of a client that may not log in any more
	life   time.Duration
}

type credentials struct{ id, secret string }

// keycloak is the real one.
func keycloak(t *testing.T) service {
	t.Helper()
	issuer := needKeycloak(t)
	clients, life := realm(t)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return service{
		http:   &http.Client{Transport: transport},
		issuer: issuer,
		whoami: issuer + "/protocol/openid-connect/userinfo",
		client: clients["tokens of five seconds"],
		closed: clients["disabled, as an expired client is"],
		life:   life,
	}
}

// standIn is our identity service with Keycloak's clients, in process.
func standIn(t *testing.T) service {
	t.Helper()
	clients, life := realm(t)
	open, closed := clients["tokens of five seconds"], clients["disabled, as an expired client is"]
	server, err := identity.New(identity.Options{
		Lifetime: life,
		Clients: []identity.Client{
			{ID: open.id, Secret: shsession.NewSecret(open.secret)},
			{ID: closed.id, Secret: shsession.NewSecret(closed.secret), ExpiresAt: time.Unix(1, 0)},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return service{
		http:   &http.Client{Transport: server.RoundTripper()},
		issuer: "http://127.0.0.1/auth/realms/main",
		whoami: "http://127.0.0.1/oauth/tokeninfo",
		client: open,
		closed: closed,
		life:   life,
	}
}

// realm reads the clients by name, and the life of their tokens, from the file that Keycloak imports.
func realm(t *testing.T) (map[string]credentials, time.Duration) {
	t.Helper()
	data, err := realmFile.ReadFile("keycloak/realm-main.json")
	if err != nil {
		t.Fatal(err)
	}
	var realm struct {
		AccessTokenLifespan int
		Clients             []struct{ ClientID, Name, Secret string }
	}
	if err := json.Unmarshal(data, &realm); err != nil {
		t.Fatal(err)
	}
	clients := make(map[string]credentials)
	for _, c := range realm.Clients {
		clients[c.Name] = credentials{c.ClientID, c.Secret}
	}
	return clients, time.Duration(realm.AccessTokenLifespan) * time.Second
}

func (s service) tokenURL() string { return s.issuer + "/protocol/openid-connect/token" }

// An answer is a response whose body is a JSON object or empty.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

// keys returns the names of the body's members, sorted.
func (a answer) keys() []string { return slices.Sorted(maps.Keys(a.body)) }

// text returns a member that is a string, or "".
func (a answer) text(key string) string {
	s, _ := a.body[key].(string)
	return s
}

// number returns a member that is a number, or 0.
func (a answer) number(key string) float64 {
	n, _ := a.body[key].(float64)
	return n
}

// do sends a request as it stands.
func (s service) do(t *testing.T, req *http.Request) answer {
	t.Helper()
	resp, err := s.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header}
	if len(data) == 0 {
		return a
	}
	if err := json.Unmarshal(data, &a.body); err != nil {
		t.Fatalf("%s %s answered %d with %q, not a JSON object", req.Method, req.URL, resp.StatusCode, data)
	}
	return a
}

// get sends a GET, with a token unless that is empty.
func (s service) get(t *testing.T, url, token string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return s.do(t, req)
}

// tokenRequest returns a POST of form to the token endpoint.
func (s service) tokenRequest(t *testing.T, form url.Values) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.tokenURL(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

// loginForm returns the form of a good login.
func (s service) loginForm() url.Values {
	return url.Values{
		"grant_type":    {"client_credentials"},
		"client_id":     {s.client.id},
		"client_secret": {s.client.secret},
	}
}

// login logs in, asking for a scope unless that is empty, and returns the answer, whose status is 200.
func (s service) login(t *testing.T, scope string) answer {
	t.Helper()
	form := s.loginForm()
	if scope != "" {
		form.Set("scope", scope)
	}
	a := s.do(t, s.tokenRequest(t, form))
	if a.status != http.StatusOK {
		t.Fatalf("login: %d %v", a.status, a.body)
	}
	return a
}
