package tokenendpoint_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

// A worthless token says what the real one says, and the service refuses it.
func TestWorthless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		real := r.login(t)
		h, err := tokenendpoint.NewWorthless(r.session)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []url.Values{r.form(), {"grant_type": {"client_credentials"}}, {"grant_type": {"client_credentials"}, "client_id": {"any"}, "client_secret": {"thing"}}} {
			req := r.post(form)
			req.Host, req.URL.Path = "proxy.example", "/auth/realms/main/protocol/openid-connect/token"
			a := send(t, h, req)
			if a.status != http.StatusOK || a.expiresIn() != time.Hour || a.text("scope") != "profile email" || a.text("token_type") != "Bearer" {
				t.Fatalf("answered %d %v", a.status, a.keys())
			}
			token := a.text("access_token")
			signature := real.AccessToken()[strings.LastIndex(real.AccessToken(), ".")+1:]
			if token+signature != real.AccessToken() {
				t.Error("the header and the claims aren't the real token's")
			}
			for _, value := range a.body {
				if text, ok := value.(string); ok && strings.Contains(text, signature) {
					t.Error("the signature is in the answer")
				}
			}
			if code := r.callAPI(token); code != http.StatusUnauthorized {
				t.Errorf("the service answered %d to it", code)
			}
		}
		if code := r.callAPI(real.AccessToken()); code != http.StatusOK {
			t.Errorf("the service answered %d to the real token", code)
		}
		if s := h.Status(); s.Handed != 3 || s.Clients != 3 {
			t.Errorf("status %+v", s)
		}
		if a := send(t, h, r.post(url.Values{"grant_type": {"password"}})); a.status != http.StatusBadRequest {
			t.Errorf("the grant of passwords was answered with %d", a.status)
		}
		if a := send(t, h, r.post(nil)); a.status != http.StatusBadRequest {
			t.Errorf("no grant was answered with %d", a.status)
		}
	})
}

// Nothing of an opaque token is shown.
func TestWorthlessOpaque(t *testing.T) {
	for _, access := range []string{"opaque-secret", "opaque.secret", "a.b.c.d"} {
		token, err := shsession.ParseToken([]byte(`{"access_token": "` + access + `", "expires_at": 4e9}`))
		if err != nil {
			t.Fatal(err)
		}
		h, err := tokenendpoint.NewWorthless(shsession.FromToken(token))
		if err != nil {
			t.Fatal(err)
		}
		if a := send(t, h, (&rig{}).post(url.Values{"grant_type": {"client_credentials"}})); a.text("access_token") != "worthless" {
			t.Errorf("%s became %q", access, a.text("access_token"))
		}
	}
}

// callAPI returns the service's answer to a request with a token.
func (r *rig) callAPI(token string) int {
	req := httptest.NewRequest(http.MethodGet, "https://identity.test/api/v1/catalog", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	rec := httptest.NewRecorder()
	r.service.ServeHTTP(rec, req)
	return rec.Code
}
