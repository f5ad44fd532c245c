package interop_test

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/oidcverify"
	"github.com/shsession/shsession/internal/testkit"
)

// session returns a session at the service.
func (s service) session(t *testing.T, as credentials) *shsession.Session {
	t.Helper()
	session, err := shsession.New(shsession.Config{
		ClientID:     as.id,
		ClientSecret: shsession.NewSecret(as.secret),
		TokenURL:     s.tokenURL(),
		HTTPClient:   s.http,
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

func checkSession(t *testing.T, s service) {
	session := s.session(t, s.client)
	start := time.Now()
	token, err := session.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkLife(t, "Life", token.Life().Seconds(), s.life)
	// Its life counts from before the request, which takes a while on a busy machine.
	if left, took := token.Remaining(), time.Since(start); left > s.life || left < s.life-took-time.Second {
		t.Errorf("%v remain of a new token of %v that took %v to get", left, s.life, took)
	}
	claims, err := session.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if claims.ClientID() != s.client.id || claims.Issuer != s.issuer || claims.Subject == "" || claims.Scope == "" {
		t.Errorf("claims %s", claims.Raw)
	}
	if got := claims.ExpiresAt.Sub(claims.IssuedAt); got != s.life {
		t.Errorf("the claims tell a life of %v, want %v", got, s.life)
	}
	if _, err := oidcverify.Verify(t.Context(), s.http, s.issuer, token.AccessToken()); err != nil {
		t.Errorf("verify: %v", err)
	}
	copied, err := shsession.ParseToken(token.Encode())
	if err != nil || !copied.Equal(token) {
		t.Errorf("encoded and parsed again: %v", err)
	}
}

// checkSessionRenews uses a session for two token lives.
func checkSessionRenews(t *testing.T, s service) {
	session := s.session(t, s.client)
	seen := make(map[string]bool)
	start := time.Now()
	testkit.EventuallyWithin(t, 3*s.life, "two token lives pass", func() bool {
		token, err := session.Token(t.Context())
		if err != nil {
			t.Fatalf("after %v: %v", time.Since(start), err)
		}
		if token.Remaining() <= 0 {
			t.Fatalf("after %v: an expired token", time.Since(start))
		}
		seen[token.AccessToken()] = true
		return time.Since(start) > 2*s.life
	})
	// The window before expiry is capped at half of a life: a token a half life at most.
	if n := len(seen); n < 3 || n > 5 {
		t.Errorf("%d tokens in two token lives", n)
	}
}

func checkSessionRefused(t *testing.T, s service) {
	for name, test := range map[string]struct {
		as   credentials
		code string
	}{
		"unknown client": {credentials{"unknown", "secret"}, "invalid_client"},
		"expired client": {s.closed, "invalid_client"},
		"wrong secret":   {credentials{s.client.id, "wrong"}, "unauthorized_client"},
	} {
		_, err := s.session(t, test.as).Token(t.Context())
		var refused *shsession.AuthError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v, want an AuthError", name, err)
			continue
		}
		if refused.Code != test.code || refused.Status != http.StatusUnauthorized || refused.Description != badClient || refused.Hint == "" {
			t.Errorf("%s: %+v", name, *refused)
		}
	}
}
