package shsession

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// MaxTokenSize is the size in bytes of the largest encoded token that is read or written
// anywhere.
const MaxTokenSize = 1 << 20

// maxLife is the longest life that is believed of a token. Beyond it, an expires_in is a
// mistake.
const maxLife = 10 * 365 * 24 * time.Hour

// A Token is an access token and what came with it: the token endpoint's whole answer
// (RFC 6749 section 5.1) and expires_at, the expiry in Unix seconds, which is the JSON
// object that the Python package keeps and shares.
//
// A Token is immutable, small to copy, and safe to use by several goroutines at once. It
// doesn't show its secret when printed, logged or marshalled as JSON; AccessToken, Encode
// and SetAuthHeader are the ways to it. The zero Token is no token.
type Token struct{ p *tokenFields }

type tokenFields struct {
	access Secret
	expiry time.Time     // wall clock only
	life   time.Duration // from issue to expiry, 0 if unknown
	raw    Secret        // the JSON object

	header atomic.Pointer[string] // the Authorization header, once it has been asked for
}

// ParseToken reads a token from the JSON object that Encode and the Python package write.
// access_token and expires_at are required, as in Python's from_token; unknown fields are
// kept, and numbers keep their digits.
func ParseToken(data []byte) (Token, error) {
	object := string(data)
	fields, err := parseFields(object)
	if err != nil {
		return Token{}, err
	}
	if fields.expiresAt == "" {
		return Token{}, errors.New("the token has no expires_at: the JSON object of a shared token has access_token and expires_at")
	}
	seconds, ok := parseSeconds(fields.expiresAt)
	if !ok {
		return Token{}, errors.New("the token's expires_at is not a number of seconds since 1970")
	}
	return fields.token(object, unixTime(seconds))
}

// fields are the values of a token's JSON object that mean something here, as they stand
// there, or "".
type fields struct {
	accessToken, tokenType, expiresIn, expiresAt string
}

// parseFields reads a JSON object of at most MaxTokenSize bytes. Its error doesn't quote
// the object.
func parseFields(object string) (f fields, err error) {
	if len(object) > MaxTokenSize {
		return f, fmt.Errorf("the token is %d bytes long, more than %d", len(object), MaxTokenSize)
	}
	ok := scanObject(object, func(key, value string) {
		switch key {
		case "access_token":
			f.accessToken = value
		case "token_type":
			f.tokenType = value
		case "expires_in":
			f.expiresIn = value
		case "expires_at":
			f.expiresAt = value
		}
	})
	if !ok {
		return f, errors.New("the token is not a JSON object")
	}
	return f, nil
}

// token makes a token of an object and its fields.
func (f fields) token(object string, expiry time.Time) (Token, error) {
	access := unquote(f.accessToken)
	if access == "" {
		return Token{}, errors.New("the token has no access_token")
	}
	if anyBelow(access, '!') || anyAbove(access, '~') { // RFC 6749 appendix A.12, and no way to split a header
		return Token{}, errors.New("the access_token has a character that can't be in a token")
	}
	life, ok := parseLife(f.expiresIn)
	t := Token{&tokenFields{access: Secret{&access}, expiry: expiry.Round(0), life: life, raw: Secret{&object}}}
	if !ok {
		t.p.life = t.claimedLife()
	}
	return t, nil
}

// claimedLife returns the life that the token's claims tell, 0 if they don't.
func (t Token) claimedLife() time.Duration {
	c, err := t.Claims()
	if err != nil || c.ExpiresAt.IsZero() || c.IssuedAt.IsZero() {
		return 0
	}
	if life := c.ExpiresAt.Sub(c.IssuedAt); life > 0 && life <= maxLife {
		return life
	}
	return 0
}

// parseSeconds reads a JSON number, or a string that holds one.
func parseSeconds(raw string) (float64, bool) {
	if text := unquote(raw); text != "" {
		raw = text
	}
	if number := (scanner{data: raw}); !number.number() || !number.end() {
		return 0, false
	}
	f, err := strconv.ParseFloat(raw, 64)
	return f, (err == nil || errors.Is(err, strconv.ErrRange)) && !math.IsNaN(f)
}

// parseLife reads an expires_in. It reports false unless that is a life that a token can
// have.
func parseLife(raw string) (time.Duration, bool) {
	seconds, ok := parseSeconds(raw)
	if !ok || seconds <= 0 || seconds > maxLife.Seconds() {
		return 0, false
	}
	return time.Duration(seconds * float64(time.Second)), true
}

// unixTime converts seconds since 1970, as far as the year 9999.
func unixTime(seconds float64) time.Time {
	seconds = min(max(seconds, 0), 253402300799)
	whole, frac := math.Modf(seconds)
	return time.Unix(int64(whole), int64(frac*1e9))
}

// IsZero reports whether t is the zero Token.
func (t Token) IsZero() bool { return t.p == nil }

// AccessToken returns the secret itself, "" for the zero Token.
func (t Token) AccessToken() string {
	if t.p == nil {
		return ""
	}
	return t.p.access.Reveal()
}

// ExpiresAt returns when the token expires by this machine's wall clock, the zero time
// for the zero Token.
func (t Token) ExpiresAt() time.Time {
	if t.p == nil {
		return time.Time{}
	}
	return t.p.expiry
}

// Remaining returns the time until the token expires by the wall clock, at least 0.
func (t Token) Remaining() time.Duration {
	return max(0, t.ExpiresAt().Sub(time.Now().Round(0)))
}

// Life returns the time between the token's issue and its expiry, as told by its
// expires_in or else its claims, or 0 if neither tells.
func (t Token) Life() time.Duration {
	if t.p == nil {
		return 0
	}
	return t.p.life
}

// Equal reports whether both hold the same access token.
func (t Token) Equal(u Token) bool { return t.AccessToken() == u.AccessToken() }

// WithExpiry returns the same token with another expiry, for stores that know the
// remaining life better than the expires_at that somebody else's clock wrote.
func (t Token) WithExpiry(expiry time.Time) Token {
	if t.p == nil {
		return t
	}
	object := withExpiresAt(t.p.raw.Reveal(), expiry)
	return Token{&tokenFields{access: t.p.access, expiry: expiry.Round(0), life: t.p.life, raw: Secret{&object}}}
}

// withExpiresAt returns a JSON object with expires_at set, and its other fields as they
// stand.
func withExpiresAt(object string, expiry time.Time) string {
	var b strings.Builder
	b.Grow(len(object) + 40)
	scanObject(object, func(key, value string) {
		if key == "expires_at" {
			return
		}
		b.WriteByte(',')
		quoted, _ := json.Marshal(key) // a string can be marshalled
		b.Write(quoted)
		b.WriteByte(':')
		b.WriteString(value)
	})
	micros := max(0, expiry.UnixMicro()) // with -5 %06d would be no number
	return fmt.Sprintf(`{"expires_at":%d.%06d%s}`, micros/1e6, micros%1e6, b.String())
}

// Encode returns the JSON object that ParseToken and the Python package read. It holds
// the secret. The caller owns the slice.
func (t Token) Encode() []byte {
	if t.p == nil {
		return nil
	}
	return []byte(t.p.raw.Reveal())
}

// SetAuthHeader sets the request's Authorization header to the token (RFC 6750 section
// 2.1).
func (t Token) SetAuthHeader(r *http.Request) { r.Header.Set("Authorization", t.bearer()) }

// bearer returns the Authorization header, which is made once for all requests.
func (t Token) bearer() string {
	if t.p == nil {
		return "Bearer "
	}
	if header := t.p.header.Load(); header != nil {
		return *header
	}
	header := "Bearer " + t.AccessToken()
	t.p.header.Store(&header)
	return header
}

// String describes the token without its secret.
func (t Token) String() string {
	if t.p == nil {
		return "no token"
	}
	return "token " + redacted + " until " + t.p.expiry.UTC().Format(time.RFC3339)
}

// Format writes what String returns, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) }

// LogValue returns what String returns.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalJSON writes what String returns as a JSON string. Encode is what keeps a token.
func (t Token) MarshalJSON() ([]byte, error) { return json.Marshal(t.String()) }

// MarshalText writes what String returns.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
