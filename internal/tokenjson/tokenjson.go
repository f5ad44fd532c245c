// Package tokenjson reads and writes the JSON object of a token: a token endpoint's whole answer
// (RFC 6749 section 5.1), and beside it expires_at, issuer and client_id.
package tokenjson

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/jwt"
)

// maxLife is the longest life of a token. A longer expires_in is taken for a mistake.
const maxLife = 10 * 365 * 24 * time.Hour

// An Object is a token's JSON object. Its values are as they were written.
type Object map[string]json.RawMessage

// Parse reads a JSON object. Its error doesn't quote the object.
func Parse(data []byte) (Object, error) {
	var o Object
	if err := json.Unmarshal(data, &o); err != nil || o == nil {
		return nil, errors.New("the token is not a JSON object")
	}
	return o, nil
}

// Text returns a field that is a string, "" if it isn't one.
func (o Object) Text(name string) string {
	text, _ := jwt.String(o[name])
	return text
}

// SetText sets a field to a string.
func (o Object) SetText(name, value string) {
	o[name], _ = json.Marshal(value) // a string can be marshalled
}

// AccessToken returns the access token, or an error if there is none that can be sent. The
// error doesn't quote it.
func (o Object) AccessToken() (string, error) {
	access := o.Text("access_token")
	if access == "" {
		return "", errors.New("the token has no access_token")
	}
	if strings.ContainsFunc(access, func(r rune) bool { return r < '!' || r > '~' }) { // RFC 6749 appendix A.12, and no way to split a header
		return "", errors.New("the access_token has a character that can't be in a token")
	}
	return access, nil
}

// ExpiresAt returns expires_at, the expiry in Unix seconds.
func (o Object) ExpiresAt() (time.Time, error) {
	if len(o["expires_at"]) == 0 {
		return time.Time{}, errors.New("the token has no expires_at: the JSON object of a shared token has access_token and expires_at")
	}
	seconds, ok := jwt.Seconds(o["expires_at"])
	if !ok {
		return time.Time{}, errors.New("the token's expires_at is not a number of seconds since 1970")
	}
	return jwt.Time(seconds), nil
}

// SetExpiresAt sets expires_at, to the microsecond.
func (o Object) SetExpiresAt(expiry time.Time) {
	micros := max(0, expiry.UnixMicro()) // with -5 %06d would be no number
	o["expires_at"] = fmt.Appendf(nil, "%d.%06d", micros/1e6, micros%1e6)
}

// Life returns the time between the token's issue and its expiry, from expires_in and from
// the claims of the access token, which is access. It returns 0 if neither tells.
func (o Object) Life(access string) time.Duration {
	var life time.Duration
	if seconds, ok := jwt.Seconds(o["expires_in"]); ok && seconds > 0 && seconds <= maxLife.Seconds() {
		life = time.Duration(seconds * float64(time.Second))
	}
	if claimed := jwt.Life(access); claimed > 0 && claimed <= maxLife && (life == 0 || claimed < life) {
		life = claimed // of two lives, the shorter one counts
	}
	return life
}

// DescribeLife describes an unusable expires_in.
func (o Object) DescribeLife() string {
	if len(o["expires_in"]) == 0 {
		return "absent"
	}
	seconds, ok := jwt.Seconds(o["expires_in"])
	if !ok {
		return "not a number"
	}
	return fmt.Sprintf("%g", seconds)
}

// Strip removes the refresh_token and the id_token. text is the JSON text that the object was
// read from; Strip returns the text of what is left.
func (o Object) Strip(text string) string {
	if o["refresh_token"] == nil && o["id_token"] == nil {
		return text
	}
	delete(o, "refresh_token")
	delete(o, "id_token")
	return o.Encode()
}

// Encode writes the object, each value as it was written.
func (o Object) Encode() string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(o); err != nil {
		panic("shsession: JSON that was read can't be written") // without err, which would quote it
	}
	return strings.TrimSuffix(b.String(), "\n")
}
