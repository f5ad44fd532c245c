package oidcverify_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/oidcverify"
)

const issuer = "https://identity.example/auth/realms/main"

// service returns a client of a new identity service, and the tokens of one login there.
func service(t testing.TB) (client *http.Client, access, id string) {
	t.Helper()
	server, err := identity.New(identity.Options{Lifetime: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	client = &http.Client{Transport: server.RoundTripper()}
	resp, err := client.PostForm(issuer+"/protocol/openid-connect/token", url.Values{
		"grant_type":    {"client_credentials"},
		"scope":         {"openid"},
		"client_id":     {identity.DevelopmentID},
		"client_secret": {identity.DevelopmentSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return client, answer.Access, answer.ID
}

func TestVerify(t *testing.T) {
	client, access, _ := service(t)
	raw, err := oidcverify.Verify(t.Context(), client, issuer, access)
	if err != nil {
		t.Fatal(err)
	}
	var claims struct{ Azp, Iss string }
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Azp != identity.DevelopmentID || claims.Iss != issuer {
		t.Errorf("claims are of client %q and issuer %q", claims.Azp, claims.Iss)
	}
}

func TestVerifyExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, access, _ := service(t)
		time.Sleep(59 * time.Second)
		if _, err := oidcverify.Verify(t.Context(), client, issuer, access); err != nil {
			t.Errorf("a second before its expiry: %v", err)
		}
		time.Sleep(2 * time.Second)
		if _, err := oidcverify.Verify(t.Context(), client, issuer, access); !errors.Is(err, shsession.ErrExpired) {
			t.Errorf("a second after its expiry: %v, want ErrExpired", err)
		}
	})
}

func TestVerifyRefuses(t *testing.T) {
	client, access, id := service(t)
	_, foreign, _ := service(t) // of the same issuer's name, with another key
	part := strings.Split(access, ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + part[1] + "."
	var claims map[string]any
	payload, err := base64.RawURLEncoding.DecodeString(part[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	claims["azp"] = "somebody else"
	altered, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}

	for name, test := range map[string]struct{ issuer, token string }{
		"another key":      {issuer, foreign},
		"another issuer":   {strings.Replace(issuer, "main", "CDSE", 1), access},
		"altered claims":   {issuer, part[0] + "." + base64.RawURLEncoding.EncodeToString(altered) + "." + part[2]},
		"no signature":     {issuer, unsigned},
		"ID token":         {issuer, id},
		"opaque":           {issuer, "opaque"},
		"empty":            {issuer, ""},
		"not an issuer":    {"https://identity.example/nowhere", access},
		"issuer is no URL": {"::", access},
	} {
		t.Run(name, func(t *testing.T) {
			if claims, err := oidcverify.Verify(t.Context(), client, test.issuer, test.token); err == nil {
				t.Errorf("accepted, with claims %s", claims)
			}
		})
	}
}
