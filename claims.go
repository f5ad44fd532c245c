package shsession

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Claims are what a JWT access token says of itself (RFC 7519 section 4, RFC 9068, and
// Keycloak's azp). They are decoded, not verified: the token's signature is for the
// service to check. Python's info() returns the same object.
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
}

// ClientID returns the client that the token was issued to: azp, else client_id, else the
// only audience, else "".
func (c Claims) ClientID() string {
	if c.AuthorizedParty != "" {
		return c.AuthorizedParty
	}
	var other struct {
		ClientID string `json:"client_id"`
	}
	if json.Unmarshal(c.Raw, &other) == nil && other.ClientID != "" {
		return other.ClientID
	}
	if len(c.Audience) == 1 {
		return c.Audience[0]
	}
	return ""
}

// Claims decodes the access token's claims. It returns [ErrOpaque] if the token is not a
// JWT, and another error if it looks like one but can't be decoded.
func (t Token) Claims() (Claims, error) {
	parts := strings.SplitN(t.AccessToken(), ".", 4)
	if len(parts) != 3 {
		return Claims{}, ErrOpaque
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return Claims{}, errors.New("the access token's claims are not base64url") // err would quote them
	}
	return parseClaims(payload)
}

func parseClaims(payload []byte) (Claims, error) {
	var c struct {
		Issuer          string       `json:"iss"`
		Subject         string       `json:"sub"`
		Audience        stringOrList `json:"aud"`
		AuthorizedParty string       `json:"azp"`
		Scope           string       `json:"scope"`
		ID              string       `json:"jti"`
		IssuedAt        numericDate  `json:"iat"`
		NotBefore       numericDate  `json:"nbf"`
		ExpiresAt       numericDate  `json:"exp"`
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return Claims{}, fmt.Errorf("the access token's claim %q has the wrong type", wrong.Field)
		}
		return Claims{}, errors.New("the access token's claims are not a JSON object")
	}
	return Claims{
		Issuer: c.Issuer, Subject: c.Subject, Audience: c.Audience, AuthorizedParty: c.AuthorizedParty,
		Scope: c.Scope, ID: c.ID,
		IssuedAt: time.Time(c.IssuedAt), NotBefore: time.Time(c.NotBefore), ExpiresAt: time.Time(c.ExpiresAt),
		Raw: payload,
	}, nil
}

// stringOrList is a claim that is one string or several (RFC 7519 section 4.1.3).
type stringOrList []string

func (l *stringOrList) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = stringOrList{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// numericDate is seconds since 1970 (RFC 7519 section 2), perhaps fractional.
type numericDate time.Time

func (d *numericDate) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	seconds, ok := parseSeconds(string(data))
	if !ok {
		return errors.New("a date claim is not a number of seconds")
	}
	*d = numericDate(unixTime(seconds))
	return nil
}
