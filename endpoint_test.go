package shsession_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

// answer returns an endpoint that always says the same.
func answer(status int, contentType, body string) http.RoundTripper {
	return roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Request: r,
			Header: http.Header{"Content-Type": {contentType}},
			Body:   io.NopCloser(strings.NewReader(body)),
		}, nil
	})
}

func TestTokenRequest(t *testing.T) {
	var got *http.Request
	var form url.Values
	st := &stamper{expiresIn: "60"}
	cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		got = r
		body, _ := io.ReadAll(r.Body)
		form, _ = url.ParseQuery(string(body))
		return st.RoundTrip(r)
	}))
	mustToken(t, newSession(t, cfg))
	if got.Method != http.MethodPost || got.URL.String() != tokenURL {
		t.Errorf("%s %s", got.Method, got.URL)
	}
	if ct := got.Header.Get("Content-Type"); ct != "application/x-www-form-urlencoded" {
		t.Errorf("Content-Type %q", ct)
	}
	if ua := got.Header.Get("User-Agent"); ua != "shsession/"+shsession.Version {
		t.Errorf("User-Agent %q", ua)
	}
	if got.Header.Get("Authorization") != "" {
		t.Error("the credentials were sent in a header too")
	}
	want := url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {secret}}
	if form.Encode() != want.Encode() {
		t.Errorf("the form has fields %d, want %d", len(form), len(want))
	}
}

// Refusals are final, whatever their dress; everything else may pass.
func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		status            int
		contentType, body string
		wantCode          string // "" if it's temporary
	}{
		"unknown client":     {401, "application/json", `{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}`, "invalid_client"},
		"wrong secret":       {401, "application/json", `{"error":"unauthorized_client"}`, "unauthorized_client"},
		"as plain text":      {400, "text/plain", `{"error":"invalid_request"}`, "invalid_request"},
		"status 200":         {200, "application/json", `{"error":"invalid_client"}`, "invalid_client"},
		"the old service":    {400, "application/json", `{"status":400,"reason":"Bad Request","message":"Illegal secret!","code":"OAUTH_ERROR"}`, "OAUTH_ERROR"},
		"another code":       {400, "application/json", `{"error":"slow_down"}`, ""},
		"a code with a 503":  {503, "application/json", `{"error":"invalid_client"}`, ""},
		"a code with a 429":  {429, "application/json", `{"error":"invalid_client"}`, ""},
		"JSON without code":  {400, "application/json", `{"message":"no"}`, ""},
		"HTML":               {403, "text/html", `<html>no</html>`, ""},
		"empty":              {401, "", ``, ""},
		"200 without token":  {200, "application/json", `{}`, ""},
		"200 with a list":    {200, "application/json", `[]`, ""},
		"200 with null":      {200, "application/json", `null`, ""},
		"a token of spaces":  {200, "application/json", `{"access_token":"a b","expires_in":60}`, ""},
		"a token of newline": {200, "application/json", `{"access_token":"a\r\nHost: b","expires_in":60}`, ""},
		"a token for a MAC":  {200, "application/json", `{"access_token":"a","token_type":"mac","expires_in":60}`, ""},
		"a numeric token":    {200, "application/json", `{"access_token":7,"expires_in":60}`, ""},
	} {
		cfg := configFor(answer(c.status, c.contentType, c.body))
		cfg.MaxAttempts = 1
		_, err := newSession(t, cfg).Token(t.Context())
		var auth *shsession.AuthError
		var endpoint *shsession.EndpointError
		switch {
		case c.wantCode == "" && !errors.As(err, &endpoint):
			t.Errorf("%s: %v, want an EndpointError", name, err)
		case c.wantCode != "" && (!errors.As(err, &auth) || auth.Code != c.wantCode || auth.Status != c.status):
			t.Errorf("%s: %v, want an AuthError with code %s", name, err, c.wantCode)
		case c.wantCode == "" && endpoint.Status != c.status:
			t.Errorf("%s: status %d, want %d", name, endpoint.Status, c.status)
		}
	}
}

func TestHints(t *testing.T) {
	refuse := answer(401, "application/json", `{"error":"invalid_client"}`)
	hint := func(base, token string) string {
		cfg := configFor(refuse)
		cfg.BaseURL, cfg.TokenURL = base, token
		_, err := newSession(t, cfg).Token(t.Context())
		var auth *shsession.AuthError
		if !errors.As(err, &auth) {
			t.Fatalf("%v, want an AuthError", err)
		}
		return auth.Hint
	}
	mixed := hint(shsession.CDSEBaseURL, shsession.SentinelHubTokenURL)
	if !strings.Contains(mixed, shsession.CDSEBaseURL) || !strings.Contains(mixed, shsession.SentinelHubTokenURL) {
		t.Errorf("the hint on a mixed pair names no URLs: %s", mixed)
	}
	if same := hint(shsession.CDSEBaseURL, ""); strings.Contains(same, shsession.SentinelHubTokenURL) {
		t.Errorf("the hint on a matching pair: %s", same)
	}
	if !shsession.MixedPair(shsession.SentinelHubBaseURL, shsession.CDSETokenURL) || shsession.MixedPair("https://example.com", shsession.CDSETokenURL) {
		t.Error("MixedPair is wrong")
	}
}

// An endpoint's own words are shown as one short line.
func TestEndpointsWords(t *testing.T) {
	words := `no\u001b[2J\nsuch\u202eclient ` + strings.Repeat("é", 5000)
	s := newSession(t, configFor(answer(401, "application/json", `{"error":"invalid_client","error_description":"`+words+`"}`)))
	_, err := s.Token(t.Context())
	var auth *shsession.AuthError
	if !errors.As(err, &auth) {
		t.Fatalf("%v, want an AuthError", err)
	}
	got := auth.Description
	if strings.ContainsFunc(got, unicode.IsControl) || strings.Contains(got, "\u202e") || !utf8.ValidString(got) || len(got) > 600 {
		t.Errorf("a description of %d bytes: %.50q", len(got), got)
	}
}

// An answer that only repeats its status is said once.
func TestEndpointRepeatsItsStatus(t *testing.T) {
	for body, want := range map[string]string{
		`{"error":"HTTP 404 Not Found"}`:                                  " answered 404 Not Found",
		`{"error":"HTTP 404 Not Found","error_description":"no realm x"}`: " answered 404 Not Found: HTTP 404 Not Found (no realm x)",
		`{"error":"HTTP 410 Gone"}`:                                       " answered 404 Not Found: HTTP 410 Gone",
	} {
		cfg := configFor(answer(404, "application/json", body))
		_, err := newSession(t, cfg).Token(t.Context())
		if err == nil || !strings.HasSuffix(err.Error(), cfg.TokenURL+want) {
			t.Errorf("%s: %v, want …%s", body, err, want)
		}
	}
}

// They aren't lost either where the code is one that may pass.
func TestEndpointsWordsOnTheWay(t *testing.T) {
	cfg := configFor(answer(400, "application/json", `{"error":"temporarily_unavailable","error_description":"closed until noon"}`))
	cfg.MaxAttempts = 1
	_, err := newSession(t, cfg).Token(t.Context())
	var endpoint *shsession.EndpointError
	if !errors.As(err, &endpoint) || !strings.Contains(endpoint.Err.Error(), "closed until noon") {
		t.Errorf("%v, want an EndpointError with the endpoint's words", err)
	}
}

// The secret never follows a redirect.
func TestRedirectsAreRefused(t *testing.T) {
	for _, fault := range []string{"301", "302", "303", "307", "308"} {
		service, cfg := newService(t, time.Minute)
		elsewhere := 0
		cfg.HTTPClient.Transport = roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "identity.example" {
				elsewhere++
			}
			return service.RoundTripper().RoundTrip(r)
		})
		service.Inject(identity.MustParseFault(fault+":https://elsewhere.example/token"), 0)
		_, err := newSession(t, cfg).Token(t.Context())
		var endpoint *shsession.EndpointError
		if !errors.As(err, &endpoint) || !endpoint.Permanent || endpoint.Hint == "" {
			t.Errorf("%s: %v, want a permanent EndpointError with a hint", fault, err)
		}
		if elsewhere > 0 || service.Counters().TokenRequests != 1 {
			t.Errorf("%s: %d requests elsewhere, %d here", fault, elsewhere, service.Counters().TokenRequests)
		}
	}
}

func TestHangingEndpointTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Minute)
		cfg.MaxAttempts, cfg.Timeout = 1, 7*time.Second
		service.Inject(identity.MustParseFault("hang"), 0)
		start := time.Now()
		_, err := newSession(t, cfg).Token(t.Context())
		var endpoint *shsession.EndpointError
		if !errors.As(err, &endpoint) || time.Since(start) != 7*time.Second {
			t.Errorf("Token = %v after %v, want an EndpointError after the timeout", err, time.Since(start))
		}
	})
}

// The endpoint's whole answer survives in the token, digit by digit.
func TestUnknownFieldsSurvive(t *testing.T) {
	body := `{"access_token":"opaque","expires_in":3599,"refresh_expires_in":0,"big":12345678901234567890.10,"nested":{"a":[1,"<é>"]},"token_type":"Bearer"}`
	token := mustToken(t, newSession(t, configFor(answer(200, "application/json", body))))
	encoded := string(token.Encode())
	for _, want := range []string{`"big":12345678901234567890.10`, `"nested":{"a":[1,"<é>"]}`, `"refresh_expires_in":0`, `"expires_in":3599`, `"expires_at":`} {
		if !strings.Contains(encoded, want) {
			t.Errorf("the encoded token lacks %s", want)
		}
	}
	again, err := shsession.ParseToken([]byte(encoded))
	if err != nil || !again.Equal(token) || again.ExpiresAt().Sub(token.ExpiresAt()).Abs() > time.Millisecond {
		t.Errorf("parsed again: %v, %v", again, err)
	}
}
