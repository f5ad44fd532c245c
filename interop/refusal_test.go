package interop_test

import (
	"net/http"
	"net/url"
	"testing"
)

// A refusal is a token request that is refused, and the answer to it.
type refusal struct {
	name   string
	edit   func(s service, form url.Values) // makes a good login bad
	header func(s service, req *http.Request)

	status            int
	code, description string
}

const (
	badClient    = "Invalid client or Invalid client credentials"
	missingGrant = "Missing form parameter: grant_type"
)

var refusals = []refusal{
	{
		name:   "a wrong secret",
		edit:   func(_ service, f url.Values) { f.Set("client_secret", "wrong") },
		status: http.StatusUnauthorized, code: "unauthorized_client", description: badClient,
	}, {
		name:   "no secret",
		edit:   func(_ service, f url.Values) { f.Del("client_secret") },
		status: http.StatusUnauthorized, code: "unauthorized_client", description: badClient,
	}, {
		name:   "an unknown client",
		edit:   func(_ service, f url.Values) { f.Set("client_id", "unknown") },
		status: http.StatusUnauthorized, code: "invalid_client", description: badClient,
	}, {
		name:   "no client",
		edit:   func(_ service, f url.Values) { f.Del("client_id"); f.Del("client_secret") },
		status: http.StatusUnauthorized, code: "invalid_client", description: badClient,
	}, {
		name: "a client that has expired",
		edit: func(s service, f url.Values) {
			f.Set("client_id", s.closed.id)
			f.Set("client_secret", s.closed.secret)
		},
		status: http.StatusUnauthorized, code: "invalid_client", description: badClient,
	}, {
		name:   "a wrong secret in the header",
		edit:   func(_ service, f url.Values) { f.Del("client_id"); f.Del("client_secret") },
		header: func(s service, r *http.Request) { r.SetBasicAuth(s.client.id, "wrong") },
		status: http.StatusUnauthorized, code: "unauthorized_client", description: badClient,
	}, {
		name:   "another client in the form than in the header",
		edit:   func(_ service, f url.Values) { f.Set("client_id", "unknown") },
		header: func(s service, r *http.Request) { r.SetBasicAuth(s.client.id, s.client.secret) },
		status: http.StatusUnauthorized, code: "invalid_client", description: badClient,
	}, {
		name:   "no grant type",
		edit:   func(_ service, f url.Values) { f.Del("grant_type") },
		status: http.StatusBadRequest, code: "invalid_request", description: missingGrant,
	}, {
		name:   "no grant type, before looking at the secret",
		edit:   func(_ service, f url.Values) { f.Del("grant_type"); f.Set("client_secret", "wrong") },
		status: http.StatusBadRequest, code: "invalid_request", description: missingGrant,
	}, {
		name:   "an empty grant type",
		edit:   func(_ service, f url.Values) { f.Set("grant_type", "") },
		status: http.StatusBadRequest, code: "unsupported_grant_type", description: "Unsupported grant_type",
	}, {
		name:   "another grant type",
		edit:   func(_ service, f url.Values) { f.Set("grant_type", "magic") },
		status: http.StatusBadRequest, code: "unsupported_grant_type", description: "Unsupported grant_type",
	}, {
		name:   "another grant type, before looking at the secret",
		edit:   func(_ service, f url.Values) { f.Set("grant_type", "magic"); f.Set("client_secret", "wrong") },
		status: http.StatusBadRequest, code: "unsupported_grant_type", description: "Unsupported grant_type",
	}, {
		name:   "a parameter given twice",
		edit:   func(_ service, f url.Values) { f.Add("grant_type", f.Get("grant_type")) },
		status: http.StatusBadRequest, code: "invalid_request", description: "duplicated parameter",
	}, {
		name:   "an unknown scope",
		edit:   func(_ service, f url.Values) { f.Set("scope", "nonsense") },
		status: http.StatusBadRequest, code: "invalid_scope", description: "Invalid scopes: nonsense",
	}, {
		name:   "an empty scope",
		edit:   func(_ service, f url.Values) { f.Set("scope", "") },
		status: http.StatusBadRequest, code: "invalid_scope", description: "Invalid scopes: ",
	}, {
		name:   "a grant type in the URL",
		edit:   func(_ service, f url.Values) { f.Del("grant_type") },
		header: func(_ service, r *http.Request) { r.URL.RawQuery = "grant_type=client_credentials" },
		status: http.StatusBadRequest, code: "invalid_request", description: missingGrant,
	}, {
		name:   "a body that is no form",
		header: func(_ service, r *http.Request) { r.Header.Set("Content-Type", "application/json") },
		status: http.StatusBadRequest, code: "invalid_request", description: missingGrant,
	}, {
		name:   "another method",
		header: func(_ service, r *http.Request) { r.Method = http.MethodPut },
		status: http.StatusMethodNotAllowed, code: "HTTP 405 Method Not Allowed",
	},
}

func (r refusal) check(t *testing.T, s service) {
	form := s.loginForm()
	if r.edit != nil {
		r.edit(s, form)
	}
	req := s.tokenRequest(t, form)
	if r.header != nil {
		r.header(s, req)
	}
	a := s.do(t, req)
	if a.status != r.status || a.text("error") != r.code || a.text("error_description") != r.description {
		t.Errorf("answered %d %q %q, want %d %q %q",
			a.status, a.text("error"), a.text("error_description"), r.status, r.code, r.description)
	}
	members := 2
	if r.description == "" {
		members = 1
	}
	if len(a.body) != members {
		t.Errorf("members %v", a.keys())
	}
	checkHeader(t, a, "Content-Type", "application/json")
	if r.status != http.StatusMethodNotAllowed {
		checkHeader(t, a, "Cache-Control", "no-store")
		checkHeader(t, a, "Pragma", "no-cache")
	}
}
