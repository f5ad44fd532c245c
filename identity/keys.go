package identity

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// keyring holds the signing key, made when it is first asked for.
type keyring struct {
	load func() (signingKey, error)
}

type signingKey struct {
	signer jose.Signer
	public jose.JSONWebKey
}

func newKeyring(key *rsa.PrivateKey) keyring {
	return keyring{load: sync.OnceValues(func() (signingKey, error) { return newSigningKey(key) })}
}

func newSigningKey(key *rsa.PrivateKey) (signingKey, error) {
	if key == nil {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, minKeyBits); err != nil {
			return signingKey{}, fmt.Errorf("make signing key: %w", err)
		}
	}
	jwk := jose.JSONWebKey{Key: key, Algorithm: string(jose.RS256), Use: "sig"}
	thumb, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return signingKey{}, fmt.Errorf("identify signing key: %w", err)
	}
	jwk.KeyID = base64.RawURLEncoding.EncodeToString(thumb)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jwk},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return signingKey{}, fmt.Errorf("use signing key: %w", err)
	}
	return signingKey{signer: signer, public: jwk.Public()}, nil
}

// sign returns claims as a signed JWT.
func (k keyring) sign(claims map[string]any) (string, error) {
	key, err := k.load()
	if err != nil {
		return "", err
	}
	return jwt.Signed(key.signer).Claims(claims).Serialize()
}

// claimsOf returns the claims of a token that sign has made, or an error.
func (k keyring) claimsOf(token string) (claims tokenClaims, err error) {
	key, err := k.load()
	if err != nil {
		return claims, err
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return claims, err
	}
	return claims, parsed.Claims(key.public.Key, &claims)
}

// tokenClaims are the claims that make a grant.
type tokenClaims struct {
	Client string `json:"azp"`
	Expiry int64  `json:"exp"`
	Type   string `json:"typ"`
}

// serveKeys answers with the key set (RFC 7517) that tokens can be verified with.
func (s *Server) serveKeys(w http.ResponseWriter, _ *http.Request) {
	key, err := s.keys.load()
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, oauthError{Code: "server_error", Description: err.Error()})
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.public}})
}

// serveDiscovery answers with what OpenID Connect Discovery 1.0 and RFC 8414 ask for, as far as this service has it.
func (s *Server) serveDiscovery(w http.ResponseWriter, r *http.Request) {
	issuer := s.realmURL(r)
	oidc := issuer + "/protocol/openid-connect"
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer":                                issuer,
		"token_endpoint":                        oidc + "/token",
		"jwks_uri":                              oidc + "/certs",
		"revocation_endpoint":                   oidc + "/revoke",
		"grant_types_supported":                 []string{grantType},
		"response_types_supported":              []string{"none"},
		"subject_types_supported":               []string{"public"},
		"scopes_supported":                      scopes(),
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "client_secret_post"},
		"id_token_signing_alg_values_supported": []string{string(jose.RS256)},
	})
}
