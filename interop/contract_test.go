package interop_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/oidcverify"
	"github.com/shsession/shsession/internal/testkit"
)

// contract is what Keycloak does and our stand-in therefore has to do, each part under its name.
// What it says of refusals is in refusal_test.go, and of sessions in session_test.go.
var contract = map[string]func(*testing.T, service){
	"login":              checkLogin,
	"login with openid":  checkLoginOpenID,
	"login with basic":   checkLoginBasic,
	"header and claims":  checkClaims,
	"two logins":         checkTwoLogins,
	"discovery":          checkDiscovery,
	"keys":               checkKeys,
	"expiry":             checkExpiry,
	"session":            checkSession,
	"session renews":     checkSessionRenews,
	"session is refused": checkSessionRefused,
}

func TestKeycloak(t *testing.T) {
	t.Parallel()
	service := keycloak(t)
	for name, check := range contract {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, service)
		})
	}
	for _, r := range refusals {
		t.Run("refuses "+r.name, func(t *testing.T) { r.check(t, service) })
	}
}

func TestStandIn(t *testing.T) {
	for name, check := range contract {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { check(t, standIn(t)) })
		})
	}
	for _, r := range refusals {
		t.Run("refuses "+r.name, func(t *testing.T) { r.check(t, standIn(t)) })
	}
}

func checkLogin(t *testing.T, s service) {
	a := s.login(t, "")
	want := []string{"access_token", "expires_in", "not-before-policy", "refresh_expires_in", "scope", "token_type"}
	if diff := cmp.Diff(want, a.keys()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	if got := a.text("token_type"); got != "Bearer" {
		t.Errorf("token_type %q", got)
	}
	checkScope(t, a, "email", "profile")
	if a.number("refresh_expires_in") != 0 || a.number("not-before-policy") != 0 {
		t.Errorf("refresh_expires_in %v, not-before-policy %v, want 0", a.body["refresh_expires_in"], a.body["not-before-policy"])
	}
	checkLife(t, "expires_in", a.number("expires_in"), s.life)
	checkHeader(t, a, "Content-Type", "application/json")
	checkHeader(t, a, "Cache-Control", "no-store")
	checkHeader(t, a, "Pragma", "no-cache")
}

func checkLoginOpenID(t *testing.T, s service) {
	a := s.login(t, "openid")
	want := []string{"access_token", "expires_in", "id_token", "not-before-policy", "refresh_expires_in", "scope", "token_type"}
	if diff := cmp.Diff(want, a.keys()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	checkScope(t, a, "email", "openid", "profile")
	if got := decodePart(t, a.text("id_token"), 1)["typ"]; got != "ID" {
		t.Errorf("typ of the id_token is %v", got)
	}
	if _, err := oidcverify.Verify(t.Context(), s.http, s.issuer, a.text("id_token")); err == nil {
		t.Error("an ID token was taken for an access token")
	}
}

func checkLoginBasic(t *testing.T, s service) {
	form := s.loginForm()
	form.Del("client_id")
	form.Del("client_secret")
	req := s.tokenRequest(t, form)
	req.SetBasicAuth(s.client.id, s.client.secret)
	if a := s.do(t, req); a.status != http.StatusOK || a.text("access_token") == "" {
		t.Errorf("login: %d %v", a.status, a.body)
	}

	// What the form says wins.
	req = s.tokenRequest(t, s.loginForm())
	req.SetBasicAuth(s.client.id, "wrong")
	if a := s.do(t, req); a.status != http.StatusOK || a.text("access_token") == "" {
		t.Errorf("login with another secret in the header: %d %v", a.status, a.body)
	}
}

func checkClaims(t *testing.T, s service) {
	a := s.login(t, "")
	header := decodePart(t, a.text("access_token"), 0)
	if header["alg"] != "RS256" || header["typ"] != "JWT" || header["kid"] == "" || len(header) != 3 {
		t.Errorf("header %v", header)
	}
	claims := answer{body: decodePart(t, a.text("access_token"), 1)}
	for claim, want := range map[string]string{
		"iss":                s.issuer,
		"azp":                s.client.id,
		"client_id":          s.client.id,
		"typ":                "Bearer",
		"aud":                "account",
		"acr":                "1",
		"scope":              a.text("scope"),
		"preferred_username": "service-account-" + strings.ToLower(s.client.id),
		"clientHost":         "127.0.0.1",
		"clientAddress":      "127.0.0.1",
	} {
		if got := claims.text(claim); got != want {
			t.Errorf("claim %s is %q, want %q", claim, got, want)
		}
	}
	for _, claim := range []string{"jti", "sub"} {
		if claims.text(claim) == "" {
			t.Errorf("no claim %s", claim)
		}
	}
	iat, exp := claims.number("iat"), claims.number("exp")
	if exp-iat != s.life.Seconds() || math.Abs(float64(time.Now().Unix())-iat) > 2 {
		t.Errorf("iat %.0f, exp %.0f at %d with tokens of %v", iat, exp, time.Now().Unix(), s.life)
	}
}

func checkTwoLogins(t *testing.T, s service) {
	first, second := s.login(t, "").text("access_token"), s.login(t, "").text("access_token")
	if first == second {
		t.Error("two logins gave the same token")
	}
	one, two := decodePart(t, first, 1), decodePart(t, second, 1)
	if one["jti"] == two["jti"] {
		t.Error("two tokens have the same jti")
	}
	if one["sub"] != two["sub"] {
		t.Errorf("two tokens of one client have subjects %v and %v", one["sub"], two["sub"])
	}
}

func checkDiscovery(t *testing.T, s service) {
	a := s.get(t, s.issuer+"/.well-known/openid-configuration", "")
	if a.status != http.StatusOK {
		t.Fatalf("%d %v", a.status, a.body)
	}
	checkHeader(t, a, "Content-Type", "application/json")
	for key, want := range map[string]string{
		"issuer":              s.issuer,
		"token_endpoint":      s.tokenURL(),
		"jwks_uri":            s.issuer + "/protocol/openid-connect/certs",
		"revocation_endpoint": s.issuer + "/protocol/openid-connect/revoke",
	} {
		if got := a.text(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for key, want := range map[string][]string{
		"grant_types_supported":                 {"client_credentials"},
		"token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post"},
		"id_token_signing_alg_values_supported": {"RS256"},
	} {
		list, _ := a.body[key].([]any)
		for _, value := range want {
			if !slices.Contains(list, any(value)) {
				t.Errorf("%s is %v, without %s", key, list, value)
			}
		}
	}
}

func checkKeys(t *testing.T, s service) {
	a := s.get(t, s.issuer+"/protocol/openid-connect/certs", "")
	if a.status != http.StatusOK {
		t.Fatalf("%d %v", a.status, a.body)
	}
	checkHeader(t, a, "Content-Type", "application/json")
	token := s.login(t, "").text("access_token")
	kid := decodePart(t, token, 0)["kid"]
	keys, _ := a.body["keys"].([]any)
	found := slices.ContainsFunc(keys, func(key any) bool {
		k, _ := key.(map[string]any)
		return k["kid"] == kid && k["kty"] == "RSA" && k["alg"] == "RS256" && k["use"] == "sig" && k["e"] == "AQAB" && k["n"] != ""
	})
	if !found {
		t.Errorf("no key %v for RS256 in %v", kid, keys)
	}
	if _, err := oidcverify.Verify(t.Context(), s.http, s.issuer, token); err != nil {
		t.Errorf("verify: %v", err)
	}
}

// checkExpiry follows a token to its end, as its keys and its service see it.
func checkExpiry(t *testing.T, s service) {
	token := s.login(t, "openid").text("access_token")
	if _, err := oidcverify.Verify(t.Context(), s.http, s.issuer, token); err != nil {
		t.Errorf("verify a new token: %v", err)
	}
	if a := s.get(t, s.whoami, token); a.status != http.StatusOK || a.text("sub") == "" {
		t.Errorf("%s answered a new token with %d %v", s.whoami, a.status, a.body)
	}
	if a := s.get(t, s.whoami, token+"x"); a.status != http.StatusUnauthorized {
		t.Errorf("%s answered an altered token with %d", s.whoami, a.status)
	}

	expires := time.Unix(int64(decodePart(t, token, 1)["exp"].(float64)), 0)
	testkit.EventuallyWithin(t, time.Until(expires)+2*time.Second, "the token is refused", func() bool {
		return s.get(t, s.whoami, token).status == http.StatusUnauthorized
	})
	if time.Now().Before(expires) {
		t.Errorf("refused %v before its expiry", time.Until(expires))
	}
	testkit.EventuallyWithin(t, 2*time.Second, "the token no longer verifies", func() bool {
		_, err := oidcverify.Verify(t.Context(), s.http, s.issuer, token)
		return errors.Is(err, shsession.ErrExpired)
	})
}

// checkLife allows for the second that Keycloak's rounding may take.
func checkLife(t *testing.T, what string, seconds float64, life time.Duration) {
	t.Helper()
	if seconds > life.Seconds() || seconds < life.Seconds()-1 {
		t.Errorf("%s is %v s with tokens of %v", what, seconds, life)
	}
}

// checkScope compares the granted scopes, in any order.
func checkScope(t *testing.T, a answer, want ...string) {
	t.Helper()
	got := strings.Fields(a.text("scope"))
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("scope (-want +got):\n%s", diff)
	}
}

func checkHeader(t *testing.T, a answer, name, want string) {
	t.Helper()
	if got := a.header.Get(name); got != want {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// decodePart decodes the header (0) or the claims (1) of a JWT.
func decodePart(t *testing.T, token string, n int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatal("the token is no JWT")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[n])
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(data, &object); err != nil {
		t.Fatal(err)
	}
	return object
}
