package interop_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession/identity"
)

// An endpointRefusal is a token request that is refused.
type endpointRefusal struct {
	edit   func(form url.Values)   // makes a good login bad
	header func(req *http.Request) // makes its request bad
}

// said returns what a service says to the request, which is sent to its token URL unless another
// is given.
func (r endpointRefusal) said(t *testing.T, s service, tokenURL *url.URL) map[string]any {
	t.Helper()
	form := s.loginForm()
	if r.edit != nil {
		r.edit(form)
	}
	req := s.tokenRequest(t, form)
	if tokenURL != nil {
		own := *tokenURL
		req.URL, req.Host = &own, ""
	}
	if r.header != nil {
		r.header(req)
	}
	a := s.do(t, req)
	if a.status < 400 {
		t.Errorf("%s answered %d", req.URL, a.status)
	}
	said := map[string]any{"status": a.status, "type": a.header.Get("Content-Type")}
	maps.Copy(said, a.body)
	return said
}

// endpointRefusals are requests that an endpoint refuses in the words that Keycloak has for them.
var endpointRefusals = map[string]endpointRefusal{
	"an unknown client":             {edit: func(f url.Values) { f.Set("client_id", "unknown") }},
	"no client":                     {edit: func(f url.Values) { f.Del("client_id"); f.Del("client_secret") }},
	"a password":                    {edit: func(f url.Values) { f.Set("grant_type", "password"); f.Set("username", "u"); f.Set("password", "p") }},
	"a password, without any":       {edit: func(f url.Values) { f.Set("grant_type", "password") }},
	"a password, of nobody":         {edit: func(f url.Values) { f.Set("grant_type", "password"); f.Set("client_id", "unknown") }},
	"a refresh token":               {edit: func(f url.Values) { f.Set("grant_type", "refresh_token"); f.Set("refresh_token", "x") }},
	"a refresh token, without any":  {edit: func(f url.Values) { f.Set("grant_type", "refresh_token") }},
	"no grant":                      {edit: func(f url.Values) { f.Del("grant_type") }},
	"no grant, and no client":       {edit: func(f url.Values) { f.Del("grant_type"); f.Del("client_id") }},
	"an empty grant":                {edit: func(f url.Values) { f.Set("grant_type", "") }},
	"an unknown grant":              {edit: func(f url.Values) { f.Set("grant_type", "magic") }},
	"a parameter twice":             {edit: func(f url.Values) { f.Add("scope", "email"); f.Add("scope", "email") }},
	"a grant in the URL":            {edit: func(f url.Values) { f.Del("grant_type") }, header: func(r *http.Request) { r.URL.RawQuery = "grant_type=client_credentials" }},
	"a body that is no form":        {header: func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }},
	"PUT":                           {header: func(r *http.Request) { r.Method = http.MethodPut }},
	"GET":                           {header: func(r *http.Request) { r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0 }},
	"a body of 2 MiB":               {edit: func(f url.Values) { f.Set("x", strings.Repeat("x", 2<<20)) }},
	"a client's name that is wrong": {edit: func(f url.Values) { f.Del("client_id") }, header: func(r *http.Request) { r.SetBasicAuth("unknown", "x") }},
}

// What an endpoint refuses, Keycloak refuses with the same status and the same words.
func TestEndpointRefusesAsKeycloak(t *testing.T) {
	t.Parallel()
	real := keycloak(t)
	e := startEndpoint(t, time.Hour)
	local := service{http: http.DefaultClient, issuer: realmOf(e.url), client: credentials{identity.DevelopmentID, e.login.Secret.Reveal()}}
	target, err := url.Parse(e.login.TokenURL)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range endpointRefusals {
		t.Run(name, func(t *testing.T) {
			want := r.said(t, real, nil)
			if diff := cmp.Diff(want, r.said(t, local, target)); diff != "" {
				t.Errorf("-Keycloak +endpoint:\n%s", diff)
			}
		})
	}
	if n := e.service.Counters().TokenRequests; n != 0 {
		t.Errorf("%d logins", n)
	}
}
