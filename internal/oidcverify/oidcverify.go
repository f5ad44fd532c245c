// Package oidcverify checks an access token's signature against the keys that its issuer publishes.
package oidcverify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/shsession/shsession"
)

// Verify checks that rawToken is an access token that issuer signed and that has not
// expired, and returns its claims. The keys are those that issuer's discovery document leads
// to (OpenID Connect Discovery 1.0). It fetches them with client, or [http.DefaultClient] if
// that is nil, on every call, and blocks until then or until ctx ends.
//
// The issuer must be known beforehand: taken from the token itself it would prove nothing.
// The signature has to be RS256, as Keycloak makes it. A key for anything else, or one that
// can't be read, is ignored. Audience and client are not checked: an access token names
// neither of them reliably. The error for a token that was good until it expired wraps
// [shsession.ErrExpired].
func Verify(ctx context.Context, client *http.Client, issuer, rawToken string) (json.RawMessage, error) {
	if client == nil {
		client = http.DefaultClient
	}
	ctx = oidc.ClientContext(ctx, client)
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the keys of %s: %w", issuer, err)
	}
	var discovered struct {
		KeySet string `json:"jwks_uri"`
	}
	if err := provider.Claims(&discovered); err != nil {
		return nil, fmt.Errorf("discover the keys of %s: %w", issuer, err)
	}
	keys, err := fetchKeys(ctx, client, discovered.KeySet)
	if err != nil {
		return nil, fmt.Errorf("fetch the keys of %s: %w", issuer, err)
	}
	verifier := oidc.NewVerifier(issuer, &oidc.StaticKeySet{PublicKeys: keys}, &oidc.Config{
		SkipClientIDCheck:    true,
		SupportedSigningAlgs: []string{oidc.RS256},
	})
	token, err := verifier.Verify(ctx, rawToken)
	if expired := (*oidc.TokenExpiredError)(nil); errors.As(err, &expired) {
		return nil, fmt.Errorf("verify the token: %w, at %s", shsession.ErrExpired, expired.Expiry.Format(time.RFC3339))
	}
	if err != nil {
		return nil, fmt.Errorf("verify the token: %w", err)
	}
	var claims json.RawMessage
	if err := token.Claims(&claims); err != nil {
		return nil, fmt.Errorf("read the claims: %w", err)
	}
	// Keycloak signs ID, refresh and access tokens with the same key and tells them apart by this claim of its own.
	var kind struct{ Typ string }
	if err := json.Unmarshal(claims, &kind); err != nil {
		return nil, fmt.Errorf("read the claims: %w", err)
	}
	if kind.Typ != "" && kind.Typ != "Bearer" {
		return nil, fmt.Errorf("verify the token: it is a token of type %q, not an access token", kind.Typ)
	}
	return claims, nil
}
