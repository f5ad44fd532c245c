// Package jwt decodes the claims of a JSON Web Token (RFC 7519), without verifying its
// signature, and the numbers that come with a token.
package jwt

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// ErrOpaque says that a token is not a JWT.
var ErrOpaque = errors.New("the access token is opaque, not a JWT")

// Claims are the registered claims (RFC 7519 section 4.1), the scope (RFC 9068) and
// Keycloak's azp.
type Claims struct {
	Issuer          string       `json:"iss"`
	Subject         string       `json:"sub"`
	Audience        StringOrList `json:"aud"`
	AuthorizedParty string       `json:"azp"`
	ClientID        StringOrNone `json:"client_id"`
	Scope           string       `json:"scope"`
	ID              string       `json:"jti"`
	IssuedAt        NumericDate  `json:"iat"`
	NotBefore       NumericDate  `json:"nbf"`
	ExpiresAt       NumericDate  `json:"exp"`
}

// Decode returns the claims of a token, and the JSON object that they were read from. Its
// errors don't quote the token.
func Decode(token string) (c Claims, payload []byte, err error) {
	payload, err = payloadOf(token)
	if err != nil {
		return Claims{}, nil, err
	}
	if err := json.Unmarshal(payload, &c); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) && wrong.Field != "" {
			return Claims{}, nil, fmt.Errorf("the access token's claim %q has the wrong type", wrong.Field)
		}
		return Claims{}, nil, errors.New("the access token's claims are not a JSON object")
	}
	return c, payload, nil
}

// Life returns the time between a token's claims iat and exp, 0 if they don't say. It takes a
// fraction of the time of Decode.
func Life(token string) time.Duration {
	payload, err := payloadOf(token)
	if err != nil {
		return 0
	}
	var c struct {
		IssuedAt  json.RawMessage `json:"iat"`
		ExpiresAt json.RawMessage `json:"exp"`
	}
	if json.Unmarshal(payload, &c) != nil {
		return 0
	}
	issued, ok := Seconds(c.IssuedAt)
	expires, ok2 := Seconds(c.ExpiresAt)
	if !ok || !ok2 {
		return 0
	}
	return Time(expires).Sub(Time(issued))
}

// payloadOf returns the JSON text of a token's claims. Its errors don't quote the token.
func payloadOf(token string) ([]byte, error) {
	parts := strings.SplitN(token, ".", 4)
	if len(parts) != 3 {
		return nil, ErrOpaque
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, errors.New("the access token's claims are not base64url")
	}
	return payload, nil
}

// A StringOrNone is a claim that is a string. Anything else in its place is read as "".
type StringOrNone string

// UnmarshalJSON reads the claim.
func (s *StringOrNone) UnmarshalJSON(data []byte) error {
	text, _ := String(data)
	*s = StringOrNone(text)
	return nil
}

// String reads a JSON string from a valid JSON value. It reports false for anything else.
func String(raw json.RawMessage) (text string, ok bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if inner := raw[1 : len(raw)-1]; isPlain(inner) {
		return string(inner), true
	}
	return text, json.Unmarshal(raw, &text) == nil
}

// isPlain reports whether the inside of a JSON string is its text: ASCII, nothing escaped.
func isPlain(inner []byte) bool {
	for _, b := range inner {
		if b == '\\' || b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// A StringOrList is a claim that is one string or several (RFC 7519 section 4.1.3).
type StringOrList []string

// UnmarshalJSON reads the claim.
func (l *StringOrList) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	var one string
	if json.Unmarshal(data, &one) == nil {
		*l = StringOrList{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// A NumericDate is seconds since 1970 (RFC 7519 section 2), perhaps fractional.
type NumericDate time.Time

// UnmarshalJSON reads the claim.
func (d *NumericDate) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	seconds, ok := Seconds(data)
	if !ok {
		return errors.New("a date claim is not a number of seconds")
	}
	*d = NumericDate(Time(seconds))
	return nil
}

// Seconds reads a JSON number, or a string that holds one, from a valid JSON value. It
// reports false for anything else.
func Seconds(raw json.RawMessage) (float64, bool) {
	if len(raw) > 0 && raw[0] == '"' { // a json.Number in a string is checked when it is read
		var number json.Number
		if json.Unmarshal(raw, &number) != nil {
			return 0, false
		}
		raw = json.RawMessage(number)
	}
	if len(raw) == 0 || raw[0] != '-' && (raw[0] < '0' || raw[0] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	return f, (err == nil || errors.Is(err, strconv.ErrRange)) && !math.IsNaN(f)
}

// Time converts seconds since 1970, as far as the year 9999.
func Time(seconds float64) time.Time {
	seconds = min(max(seconds, 0), 253402300799)
	whole, frac := math.Modf(seconds)
	return time.Unix(int64(whole), int64(frac*1e9))
}
