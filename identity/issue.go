package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// issue makes a token for client and enters it in the ledger.
func (s *Server) issue(r *http.Request, client Client, scope string, f Fault) (tokenAnswer, error) {
	life := time.Duration(s.lifetime.Load())
	seconds := max(1, int64(life/time.Second))
	now := s.now().Add(f.skew())

	granted, openID, err := grantScope(scope)
	if err != nil {
		return tokenAnswer{}, err
	}
	claims := s.claims(r, client, now, seconds)
	claims["scope"] = granted
	maps.Copy(claims, s.opts.Claims)
	token, err := s.keys.sign(claims)
	if err != nil {
		return tokenAnswer{}, fmt.Errorf("sign token: %w", err)
	}
	answer := tokenAnswer{AccessToken: token, ExpiresIn: f.expiresIn(seconds), TokenType: "Bearer", Scope: granted}
	if openID {
		claims["typ"], claims["aud"], claims["jti"] = "ID", client.ID, newID()
		delete(claims, "scope")
		if answer.IDToken, err = s.keys.sign(claims); err != nil {
			return tokenAnswer{}, fmt.Errorf("sign ID token: %w", err)
		}
	}
	s.ledger.enter(token, grant{client: client.ID, expires: now.Add(life)}, s.now())
	return answer, nil
}

// scopes are those that a client may ask for.
func scopes() []string { return []string{"openid", "profile", "email"} }

// grantScope returns the scope of a token: Keycloak's defaults, and openid for those who ask for it.
func grantScope(asked string) (granted string, openID bool, err error) {
	granted = "profile email"
	for scope := range strings.FieldsSeq(asked) {
		if !slices.Contains(scopes(), scope) {
			return "", false, &oauthError{http.StatusBadRequest, "invalid_scope", "Invalid scopes: " + asked}
		}
		openID = openID || scope == "openid"
	}
	if openID {
		granted = "openid " + granted
	}
	return granted, openID, nil
}

// claims are those that Keycloak 26 gives a service account's token.
func (s *Server) claims(r *http.Request, client Client, now time.Time, seconds int64) map[string]any {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return map[string]any{
		"exp":                now.Unix() + seconds,
		"iat":                now.Unix(),
		"jti":                "trrtcc:" + newID(), // transient session, regular token, client credentials
		"iss":                s.realmURL(r),
		"aud":                "account",
		"sub":                accountID(client.ID),
		"typ":                "Bearer",
		"azp":                client.ID,
		"acr":                "1",
		"realm_access":       map[string]any{"roles": []string{"offline_access", "uma_authorization"}},
		"email_verified":     false,
		"clientHost":         host,
		"clientAddress":      host,
		"client_id":          client.ID,
		"clientId":           client.ID, // its name before Keycloak 21
		"preferred_username": "service-account-" + strings.ToLower(client.ID),
	}
}

// newID returns a random UUID.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return formatUUID(b, 4)
}

// accountID returns the UUID of a client's service account: the same for every token and every Server.
func accountID(client string) string {
	sum := sha256.Sum256([]byte(client))
	return formatUUID([16]byte(sum[:16]), 8)
}

func formatUUID(b [16]byte, version byte) string {
	b[6] = b[6]&0x0f | version<<4
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
