package identity_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

// verify checks token's signature with the key set that discovery leads to, and returns its claims.
func verify(t *testing.T, s service, realm, token string) (jwt.Claims, map[string]any) {
	t.Helper()
	discovered := s.get(realm+"/.well-known/openid-configuration", "").decode(t)
	path := strings.TrimPrefix(discovered["jwks_uri"].(string), host)
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(s.get(path, "").body), &keys); err != nil {
		t.Fatal(err)
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var std jwt.Claims
	var all map[string]any
	if err := parsed.Claims(keys, &std, &all); err != nil {
		t.Fatal(err)
	}
	if issuer := discovered["issuer"]; std.Issuer != issuer {
		t.Errorf("token's issuer %q, discovery's %q", std.Issuer, issuer)
	}
	return std, all
}

func TestTokenVerifies(t *testing.T) {
	for _, realm := range []string{"/auth/realms/main", "/auth/realms/CDSE", "/realms/other"} {
		t.Run(realm, func(t *testing.T) {
			s := newService(t, identity.Options{Claims: map[string]any{"account": "Študijski račun 東京"}})
			answer := s.post(realm+"/protocol/openid-connect/token", credentials()).decode(t)
			std, all := verify(t, s, realm, answer["access_token"].(string))
			if err := std.Validate(jwt.Expected{Issuer: host + realm, Time: time.Now()}); err != nil {
				t.Error(err)
			}
			if life := std.Expiry.Time().Sub(std.IssuedAt.Time()); life != time.Hour {
				t.Errorf("exp - iat = %v", life)
			}
			for _, changing := range []string{"exp", "iat", "jti", "sub", "iss"} {
				if all[changing] == nil {
					t.Errorf("no claim %s", changing)
				}
				delete(all, changing)
			}
			want := map[string]any{
				"typ": "Bearer", "azp": identity.DevelopmentID, "aud": "account", "acr": "1", "scope": "profile email",
				"email_verified": false,
				"realm_access":   map[string]any{"roles": []any{"offline_access", "uma_authorization"}},
				"clientHost":     "127.0.0.1", "clientAddress": "127.0.0.1",
				"client_id": identity.DevelopmentID, "clientId": identity.DevelopmentID,
				"preferred_username": "service-account-" + identity.DevelopmentID,
				"account":            "Študijski račun 東京",
			}
			if diff := cmp.Diff(want, all); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTokenAnswer(t *testing.T) {
	s := newService(t, identity.Options{Lifetime: 600 * time.Second})
	r := s.post(tokenPath, credentials())
	token := r.decode(t)["access_token"].(string)
	want := `{"access_token":"` + token + `","expires_in":600,"refresh_expires_in":0,"token_type":"Bearer",` +
		`"not-before-policy":0,"scope":"profile email"}`
	if r.body != want {
		t.Errorf("got  %s\nwant %s", r.body, want)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/json", "Cache-Control": "no-store", "Pragma": "no-cache",
	} {
		if got := r.header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if again := s.login(); again == token {
		t.Error("two logins gave one token")
	}
}

func TestIDTokenOnRequest(t *testing.T) {
	s := newService(t, identity.Options{})
	answer := s.post(tokenPath, with("scope", "openid")).decode(t)
	if answer["scope"] != "openid profile email" {
		t.Errorf("scope %q", answer["scope"])
	}
	_, claims := verify(t, s, mainRealm, answer["id_token"].(string))
	if claims["typ"] != "ID" || claims["aud"] != identity.DevelopmentID {
		t.Errorf("typ %v, aud %v", claims["typ"], claims["aud"])
	}
}

func TestOldTokenPath(t *testing.T) {
	s := newService(t, identity.Options{})
	answer := s.post("/oauth/token", credentials()).decode(t)
	std, _ := verify(t, s, mainRealm, answer["access_token"].(string))
	if std.Issuer != host+mainRealm {
		t.Errorf("issuer %q", std.Issuer)
	}
}

func TestTokenErrors(t *testing.T) {
	const (
		invalidClient = `{"error":"invalid_client","error_description":"Invalid client or Invalid client credentials"}`
		unauthorized  = `{"error":"unauthorized_client","error_description":"Invalid client or Invalid client credentials"}`
		noGrant       = `{"error":"invalid_request","error_description":"Missing form parameter: grant_type"}`
		otherGrant    = `{"error":"unsupported_grant_type","error_description":"Unsupported grant_type"}`
		invalidScope  = `{"error":"invalid_scope","error_description":"Invalid scopes: openid moon"}`
		duplicate     = `{"error":"invalid_request","error_description":"duplicated parameter"}`
	)
	twice := credentials()
	twice.Add("scope", "a")
	twice.Add("scope", "b")
	tests := []struct {
		name   string
		form   url.Values
		status int
		body   string
	}{
		{"unknown client", with("client_id", "nobody"), 401, invalidClient},
		{"no client", with("client_id", ""), 401, invalidClient},
		{"wrong secret", with("client_secret", "wrong"), 401, unauthorized},
		{"no secret", with("client_secret", ""), 401, unauthorized},
		{"no grant", with("grant_type", ""), 400, noGrant},
		{"nothing", url.Values{}, 400, noGrant},
		{"empty grant", url.Values{"grant_type": {""}}, 400, otherGrant},
		{"other grant", with("grant_type", "magic"), 400, otherGrant},
		{"other scope", with("scope", "openid moon"), 400, invalidScope},
		{"grant comes first", url.Values{"grant_type": {"x"}, "client_id": {"nobody"}}, 400, otherGrant},
		{"duplicate", twice, 400, duplicate},
	}
	s := newService(t, identity.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := s.post(tokenPath, tt.form)
			if r.status != tt.status || r.body != tt.body {
				t.Errorf("got  %d %s\nwant %d %s", r.status, r.body, tt.status, tt.body)
			}
			if r.header.Get("Cache-Control") != "no-store" {
				t.Error("may be stored")
			}
		})
	}
	if c := s.Counters(); c.TokensRefused != int64(len(tests)) || c.TokensIssued != 0 {
		t.Errorf("counters %+v", c)
	}
}

func TestCredentialsInURLAreRefused(t *testing.T) {
	s := newService(t, identity.Options{})
	for _, tt := range []struct {
		method string
		status int
	}{{http.MethodGet, 405}, {http.MethodPut, 405}, {http.MethodPost, 400}} {
		req := s.request(tt.method, tokenPath+"?"+credentials().Encode(), "")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if r := s.do(req); r.status != tt.status || r.decode(t)["error"] == nil {
			t.Errorf("%s: %d %s", tt.method, r.status, r.body)
		}
	}
}

func TestTokenBody(t *testing.T) {
	s := newService(t, identity.Options{})
	for _, tt := range []struct {
		name, mediaType, body string
		status                int
	}{
		{"JSON", "application/json", `{"grant_type":"client_credentials"}`, 400},
		{"no type", "", credentials().Encode(), 400},
		{"charset", "application/x-www-form-urlencoded; charset=utf-8", credentials().Encode(), 200},
		{"bad escape", "application/x-www-form-urlencoded", "grant_type=%zz", 500},
		{"too big", "application/x-www-form-urlencoded", "grant_type=" + strings.Repeat("x", 2<<20), 413},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := s.request(http.MethodPost, tokenPath, tt.body)
			req.Header.Set("Content-Type", tt.mediaType)
			if r := s.do(req); r.status != tt.status {
				t.Errorf("%d %s, want %d", r.status, r.body, tt.status)
			}
		})
	}
}

func TestBasicAuth(t *testing.T) {
	const id, secret = "sh-8:a/b", "p%s+w: ö"
	s := newService(t, identity.Options{Clients: []identity.Client{{ID: id, Secret: shsession.NewSecret(secret)}}})
	escaped := url.QueryEscape(id) + ":" + url.QueryEscape(secret)
	for _, tt := range []struct {
		name, header string
		status       int
	}{
		{"percent-encoded", "Basic " + base64.StdEncoding.EncodeToString([]byte(escaped)), 200},
		{"scheme in lower case", "basic " + base64.StdEncoding.EncodeToString([]byte(escaped)), 200},
		{"not encoded", "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret)), 400},
		{"not base64", "Basic !!!", 401},
		{"another scheme", "Negotiate " + base64.StdEncoding.EncodeToString([]byte(escaped)), 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := s.request(http.MethodPost, tokenPath, "grant_type=client_credentials")
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Authorization", tt.header)
			if r := s.do(req); r.status != tt.status {
				t.Errorf("%d %s, want %d", r.status, r.body, tt.status)
			}
		})
	}
}

func TestClientRealmAndExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, identity.Options{Clients: []identity.Client{
			{ID: "cdse", Secret: shsession.NewSecret("x"), Realm: "CDSE"},
			{ID: "brief", Secret: shsession.NewSecret("x"), ExpiresAt: time.Now().Add(time.Hour)},
		}})
		login := func(realm, id string) any {
			form := url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {"x"}}
			return s.post("/auth/realms/"+realm+"/protocol/openid-connect/token", form).decode(t)["error"]
		}
		if got := login("CDSE", "cdse"); got != nil {
			t.Errorf("in its realm: %v", got)
		}
		if got := login("main", "cdse"); got != "invalid_client" {
			t.Errorf("in another realm: %v", got)
		}
		if got := login("main", "brief"); got != nil {
			t.Errorf("before its end: %v", got)
		}
		time.Sleep(time.Hour)
		if got := login("main", "brief"); got != "invalid_client" {
			t.Errorf("after its end: %v", got)
		}
	})
}
