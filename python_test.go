package shsession_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/storetest"
)

// The tests of the Python package's session, translated. Each names the Python test, which
// is in tests/download/test_session.py of sentinelhub 3.12.0. Those of sharing are in
// python_sharing_linux_test.go.

// pythonToken returns the JSON object of the fixture fake_token, which has left to live.
func pythonToken(left time.Duration) string {
	expiry := float64(time.Now().Add(left).UnixNano()) / 1e9
	return fmt.Sprintf(`{"access_token":"x","expires_in":1000,"expires_at":%f}`, expiry)
}

func parsed(t *testing.T, object string) shsession.Token {
	t.Helper()
	token, err := shsession.ParseToken([]byte(object))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// fields returns a token's JSON object.
func fields(t *testing.T, token shsession.Token) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(token.Encode(), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// Python: test_session.
func TestPythonSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		token := mustToken(t, s)
		header, err := s.Headers(t.Context())
		if err != nil || header.Get("Authorization") != "Bearer "+token.AccessToken() {
			t.Errorf("the header isn't the token's: %v", err)
		}
		object := fields(t, token)
		for _, key := range []string{"access_token", "expires_in", "expires_at"} {
			if object[key] == nil {
				t.Errorf("the token has no %s", key)
			}
		}
		if !mustToken(t, s).Equal(token) {
			t.Error("the token has been refreshed")
		}
		time.Sleep(time.Hour)
		if mustToken(t, s).Equal(token) {
			t.Error("the token has not been refreshed")
		}
	})
}

// Python: test_token_info.
func TestPythonTokenInfo(t *testing.T) {
	keys := []string{"sub", "aud", "jti", "exp", "name", "email", "sid", "org", "did", "aid", "d"}
	payload := map[string]any{}
	for _, key := range keys {
		payload[key] = key
	}
	payload["exp"], payload["d"] = time.Now().Add(time.Hour).Unix(), map[string]int{"1": 2}
	claims, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	info, err := shsession.FromToken(tokenOf(t, jwt(string(claims)))).Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(info.Raw, &got); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if got[key] == nil {
			t.Errorf("the claims have no %s", key)
		}
	}
}

// Python: test_session_content_and_headers. The User-Agent is ours.
func TestPythonSessionContentAndHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var requests []*http.Request
		cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			requests = append(requests, r)
			time.Sleep(time.Second)
			return answer(200, "application/json", pythonToken(5000*time.Second)).RoundTrip(r)
		}))
		asked := time.Now()
		token := mustToken(t, newSession(t, cfg))
		if got := token.ExpiresAt().Sub(asked); got != 1000*time.Second { // from expires_in, not from expires_at
			t.Errorf("the token expires %v after the request was sent, want 1000s", got)
		}
		object := fields(t, token)
		delete(object, "client_id") // which tell readers whose token it is
		delete(object, "issuer")
		if object["access_token"] != "x" || object["expires_in"] != 1000.0 || len(object) != 3 {
			t.Errorf("the token has the fields %d, want the answer's three", len(object))
		}
		if len(requests) != 1 {
			t.Fatalf("%d requests, want 1", len(requests))
		}
		for name, want := range map[string]string{
			"User-Agent": "shsession/" + shsession.Version, "Content-Type": "application/x-www-form-urlencoded",
		} {
			if got := requests[0].Header.Get(name); got != want || requests[0].URL.String() != cfg.TokenURL {
				t.Errorf("%s: %q to %s, want %q to %s", name, got, requests[0].URL, want, cfg.TokenURL)
			}
		}
	})
}

// Python: test_session_with_missing_credentials.
func TestPythonMissingCredentials(t *testing.T) {
	without := configFor(answer(200, "application/json", pythonToken(1000*time.Second)))
	without.ClientID, without.ClientSecret = "", shsession.Secret{}
	if _, err := shsession.New(without); !errors.Is(err, shsession.ErrNoCredentials) {
		t.Errorf("New = %v, want ErrNoCredentials", err)
	}
	given := parsed(t, pythonToken(1000*time.Second))
	var store storetest.Memory
	if err := store.Publish(t.Context(), given); err != nil {
		t.Fatal(err)
	}
	if _, err := shsession.Join(without, &store); !errors.Is(err, shsession.ErrNoCredentials) { // renews a given token
		t.Errorf("Join = %v, want ErrNoCredentials", err)
	}
	if got := mustToken(t, shsession.FromToken(given)); !got.Equal(given) {
		t.Error("a session that doesn't renew has another token")
	}
}

// Python: test_from_token. Python warns of an expired token. Here that is an error and a
// warning.
func TestPythonFromToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		given := parsed(t, pythonToken(1000*time.Second))
		s := shsession.FromToken(given)
		if got := mustToken(t, s); string(got.Encode()) != string(given.Encode()) {
			t.Error("the token was changed")
		}
		if status := s.Status(); !status.RenewAt.IsZero() {
			t.Errorf("the token is to be renewed at %v", status.RenewAt)
		}
		var log testkit.Output
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		defer slog.SetDefault(before)
		expired := parsed(t, pythonToken(0))
		got, err := shsession.FromToken(expired).Token(t.Context())
		if !errors.Is(err, shsession.ErrExpired) || !got.Equal(expired) {
			t.Errorf("Token = %v, %v, want the expired token with ErrExpired", got, err)
		}
		synctest.Wait()
		if strings.Count(log.String(), "level=WARN") != 1 {
			t.Error("nothing warned of an expired token")
		}
	})
}

// Python: test_refreshing_procedure. Where Python's session fails because the service
// refuses the renewal, the token that is valid for 500 s goes on here: an error would bring
// the caller nothing.
func TestPythonRefreshingProcedure(t *testing.T) {
	for name, c := range map[string]struct {
		window time.Duration
		logins int
	}{"None": {shsession.Never, 0}, "400": {400 * time.Second, 0}, "500": {500 * time.Second, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				logins := 0
				cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
					logins++
					return answer(401, "application/json", `{"error":"invalid_client"}`).RoundTrip(r)
				}))
				cfg.RefreshBeforeExpiry = c.window
				given := parsed(t, pythonToken(500*time.Second))
				s := startingWith(t, cfg, given)
				if got := mustToken(t, s); !got.Equal(given) {
					t.Error("the session has another token than the one it started with")
				}
				var auth *shsession.AuthError
				if logins != c.logins || logins > 0 && !errors.As(s.Status().LastError, &auth) {
					t.Errorf("%d logins, want %d; the last error is %v", logins, c.logins, s.Status().LastError)
				}
			})
		})
	}
}

// startingWith returns a session that starts with a token and renews it later, as Python's
// SentinelHubSession(config, _token=token): a member of a store that holds the token.
func startingWith(t *testing.T, cfg shsession.Config, token shsession.Token) *shsession.Session {
	t.Helper()
	if cfg.RefreshBeforeExpiry < 0 {
		return shsession.FromToken(token)
	}
	s := newSession(t, cfg)
	shared := &storetest.Memory{}
	if err := shared.Publish(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	share(t, s, shared)
	return s
}

// mocked are the answers in Python's tests of the compliance hook.
var mocked = map[string]string{
	"an error and a token": `{"error": "Mocked error message", "access_token": "xxx"}`,
	"a token":              `{"access_token": "xxx"}`,
	"None":                 `null`,
}

// Python: test_oauth_compliance_hook_4xx, six cases: one request and an error, which has
// the endpoint's own words where there are any.
func TestPythonComplianceHook4xx(t *testing.T) {
	for _, status := range []int{400, 404} {
		for name, body := range mocked {
			t.Run(fmt.Sprintf("%d with %s", status, name), func(t *testing.T) {
				requests, err := tokenAfter(t, status, body, nil)
				if requests != 1 || !err.Permanent || err.Status != status {
					t.Errorf("%d requests and %v, want one and a final error", requests, err)
				}
				if words := strings.Contains(err.Error(), "Mocked error message"); words != strings.Contains(body, "Mocked") {
					t.Errorf("the error says %v", err)
				}
			})
		}
	}
}

// Python: test_oauth_compliance_hook_5xx, six cases: max_download_attempts requests.
func TestPythonComplianceHook5xx(t *testing.T) {
	for _, status := range []int{500, 503} {
		for name, body := range mocked {
			t.Run(fmt.Sprintf("%d with %s", status, name), func(t *testing.T) {
				requests, err := tokenAfter(t, status, body, func(cfg *shsession.Config) {
					cfg.MaxAttempts, cfg.RetryWait = 10, time.Nanosecond
				})
				if requests != 10 || err.Permanent || err.Status != status {
					t.Errorf("%d requests and %v, want ten and an error that may pass", requests, err)
				}
			})
		}
	}
}

// tokenAfter asks for a token of an endpoint that always answers the same. It returns the
// number of token requests, and the error.
func tokenAfter(t *testing.T, status int, body string, change func(*shsession.Config)) (requests int, failure *shsession.EndpointError) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			requests++
			_, err := io.Copy(io.Discard, r.Body)
			return &http.Response{
				StatusCode: status, Request: r, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)),
			}, err
		}))
		if change != nil {
			change(&cfg)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if _, err := newSession(t, cfg).Token(ctx); !errors.As(err, &failure) {
			t.Fatalf("Token = %v, want an EndpointError", err)
		}
	})
	return requests, failure
}
