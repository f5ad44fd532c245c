package shsession

import (
	"encoding/json"
	"time"

	"github.com/shsession/shsession/internal/jwt"
)

// Claims are the claims of a JWT access token (RFC 7519 section 4, RFC 9068, and Keycloak's
// azp). They are decoded, not verified: the service checks the token's signature. Python's
// info() returns the same object.
type Claims struct {
	Issuer          string    // iss
	Subject         string    // sub: the user or service account
	Audience        []string  // aud
	AuthorizedParty string    // azp: the client id since December 2023
	Scope           string    // scope
	ID              string    // jti
	IssuedAt        time.Time // iat, zero if absent
	NotBefore       time.Time // nbf, zero if absent
	ExpiresAt       time.Time // exp, zero if absent

	// Raw is the whole JSON object as it was issued.
	Raw json.RawMessage

	clientID string // client_id
}

// ClientID returns the client that the token was issued to: azp, else client_id, else the
// only audience, else "".
func (c Claims) ClientID() string {
	if c.AuthorizedParty == "" && c.clientID == "" && len(c.Audience) == 1 {
		return c.Audience[0]
	}
	return orDefault(c.AuthorizedParty, c.clientID)
}

// An Account is the owner of a token: a client of one issuer. The same client id at two
// services is two accounts. A field is "" if it is unknown.
type Account struct {
	Issuer   string // as in the iss claim (RFC 7519 section 4.1.1)
	ClientID string
}

// Matches reports whether two accounts can be the same one: an unknown field matches every
// value. A service's old and new addresses are one issuer.
func (a Account) Matches(b Account) bool {
	return (a.ClientID == "" || b.ClientID == "" || a.ClientID == b.ClientID) &&
		(a.Issuer == "" || b.Issuer == "" || a.Issuer == b.Issuer || knownServices.OneIssuer(a.Issuer) == knownServices.OneIssuer(b.Issuer))
}

// Account returns the account that the token was issued to, as the session that logged in
// wrote it beside the token, or else from the token's claims.
func (t Token) Account() Account {
	if t.p == nil {
		return Account{}
	}
	account := t.p.account
	if account.Issuer != "" && account.ClientID != "" {
		return account
	}
	if claims, err := t.Claims(); err == nil {
		account.Issuer = orDefault(account.Issuer, claims.Issuer)
		account.ClientID = orDefault(account.ClientID, claims.ClientID())
	}
	return account
}

// Claims decodes the access token's claims. It returns [ErrOpaque] if the token is not a
// JWT, and another error if it looks like one but can't be decoded.
func (t Token) Claims() (Claims, error) {
	c, payload, err := jwt.Decode(t.AccessToken())
	if err != nil {
		return Claims{}, err
	}
	return Claims{
		Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, AuthorizedParty: c.AuthorizedParty,
		Scope: c.Scope, ID: c.ID, Raw: payload, clientID: string(c.ClientID),
		IssuedAt: time.Time(c.IssuedAt), NotBefore: time.Time(c.NotBefore), ExpiresAt: time.Time(c.ExpiresAt),
	}, nil
}
