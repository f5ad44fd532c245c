package shsession

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession/internal/tokenjson"
)

// MaxTokenSize is the size in bytes of the largest encoded token. Larger tokens are neither
// read nor written.
const MaxTokenSize = 1 << 20

// A Token is an access token and what came with it: the token endpoint's whole answer
// (RFC 6749 section 5.1) and expires_at, the expiry in Unix seconds, which is the JSON
// object that the Python package keeps and shares. A refresh_token and an id_token are
// removed from it: the readers of a shared token need only the access token.
//
// A Token is immutable, small to copy, and safe to use by several goroutines at once. It
// doesn't show its secret when printed, logged or marshalled as JSON; only AccessToken,
// Encode and SetAuthHeader return the secret. The zero Token is no token.
type Token struct{ p *tokenFields }

type tokenFields struct {
	access  Secret
	expiry  time.Time     // wall clock only
	life    time.Duration // from issue to expiry, 0 if unknown
	account Account       // as written beside the token
	raw     Secret        // the JSON object

	header atomic.Pointer[string] // the Authorization header, made at its first use
}

// ParseToken reads a token from the JSON object that Encode and the Python package write.
// access_token and expires_at are required, as in Python's from_token; unknown fields are
// kept, and numbers keep their digits.
func ParseToken(data []byte) (Token, error) {
	if len(data) > MaxTokenSize {
		return Token{}, fmt.Errorf("the token is %d bytes long, more than %d", len(data), MaxTokenSize)
	}
	object, err := tokenjson.Parse(data)
	if err != nil {
		return Token{}, err
	}
	expiry, err := object.ExpiresAt()
	if err != nil {
		return Token{}, err
	}
	return newToken(object, string(data), expiry)
}

// newToken makes a token of an object. text is the object's JSON text.
func newToken(o tokenjson.Object, text string, expiry time.Time) (Token, error) {
	access, err := o.AccessToken()
	if err != nil {
		return Token{}, err
	}
	raw := o.Strip(text)
	return Token{&tokenFields{
		access: Secret{&access}, expiry: expiry.Round(0), life: o.Life(access), raw: Secret{&raw},
		account: accountBeside(o),
	}}, nil
}

// accountBeside returns the account that is written beside the token.
func accountBeside(o tokenjson.Object) Account {
	return Account{Issuer: o.Text("issuer"), ClientID: o.Text("client_id")}
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

// Life returns the time between the token's issue and its expiry, from its expires_in or
// its claims: the shorter of the two, or 0 if it has neither.
func (t Token) Life() time.Duration {
	if t.p == nil {
		return 0
	}
	return t.p.life
}

// Equal reports whether both hold the same access token.
func (t Token) Equal(u Token) bool { return t.AccessToken() == u.AccessToken() }

// WithExpiry returns the same token with another expiry, for stores that know the
// remaining life better than the expires_at that another machine's clock wrote.
func (t Token) WithExpiry(expiry time.Time) Token { return t.with(expiry, Account{}) }

// with returns the same token with another expiry, and with an account, but for what is
// "", written beside it.
func (t Token) with(expiry time.Time, account Account) Token {
	if t.p == nil {
		return t
	}
	o, err := tokenjson.Parse([]byte(t.p.raw.Reveal()))
	if err != nil {
		panic("shsession: a token that was read can't be read")
	}
	o.SetExpiresAt(expiry)
	if account.Issuer != "" {
		o.SetText("issuer", account.Issuer)
	}
	if account.ClientID != "" {
		o.SetText("client_id", account.ClientID)
	}
	raw := o.Encode()
	return Token{&tokenFields{
		access: t.p.access, expiry: expiry.Round(0), life: t.p.life, raw: Secret{&raw},
		account: accountBeside(o),
	}}
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

// Format writes what String returns, for every verb.
func (t Token) Format(f fmt.State, _ rune) { io.WriteString(f, t.String()) }

// LogValue returns what String returns.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText writes what String returns, in JSON too. To store a token, use Encode.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// redacted is shown instead of a secret.
const redacted = "[redacted]"

// A Secret holds a client secret and doesn't show it: under every verb of package fmt, in
// slog, in JSON and in a panic it reads "[redacted]", also as a field, exported or not, of
// another value. Only [Secret.Reveal] returns the text. The zero Secret is empty.
//
// It can be copied and used by several goroutines at once.
type Secret struct{ text *string } // reflection in fmt stops at a pointer to a string, under every verb

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{&text}
}

// Reveal returns the text of the secret, "" if it's empty.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// String returns "[redacted]", or "" for an empty secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// Format writes what String returns, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText writes what String returns, in JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
