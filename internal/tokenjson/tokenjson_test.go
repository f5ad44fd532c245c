package tokenjson_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/tokenjson"
)

func parse(t *testing.T, text string) tokenjson.Object {
	t.Helper()
	o, err := tokenjson.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// Of the life in expires_in and the life in the claims, the shorter one counts, and a life that
// no token has counts for nothing.
func TestLife(t *testing.T) {
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	}
	for _, c := range []struct {
		expiresIn, access string
		want              time.Duration
	}{
		{`60`, "opaque", time.Minute},
		{`"60.5"`, "opaque", time.Minute + time.Second/2},
		{`0`, "opaque", 0},
		{`-60`, "opaque", 0},
		{`null`, "opaque", 0},
		{`315360000`, "opaque", 10 * 365 * 24 * time.Hour},
		{`315360001`, "opaque", 0},
		{`60`, jwt(`{"iat":1000,"exp":1030}`), 30 * time.Second},
		{`60`, jwt(`{"iat":1000,"exp":1090}`), time.Minute},
		{`0`, jwt(`{"iat":1000,"exp":1090}`), 90 * time.Second},
		{`0`, jwt(`{"iat":1000,"exp":315362000}`), 0},
		{`60`, jwt(`{"iat":1000,"exp":900}`), time.Minute},
	} {
		if got := parse(t, `{"expires_in":`+c.expiresIn+`}`).Life(c.access); got != c.want {
			t.Errorf("expires_in %s and the access token %s: a life of %v, want %v", c.expiresIn, c.access, got, c.want)
		}
	}
}

func TestDescribeLife(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "absent", `{"expires_in":[]}`: "not a number", `{"expires_in":-5}`: "-5", `{"expires_in":"0.5"}`: "0.5",
	} {
		if got := parse(t, text).DescribeLife(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// Text without other tokens stays as it was, byte for byte.
func TestStrip(t *testing.T) {
	for text, want := range map[string]string{
		`{ "access_token": "a", "n": 1.50 }`:                             `{ "access_token": "a", "n": 1.50 }`,
		`{"access_token":"a","refresh_token":"r","n":1.50}`:              `{"access_token":"a","n":1.50}`,
		`{"access_token":"<a>","id_token":null,"refresh_token":["r",1]}`: `{"access_token":"<a>"}`,
	} {
		if got := parse(t, text).Strip(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// What Set writes is read again.
func TestSet(t *testing.T) {
	for _, expiry := range []time.Time{time.Unix(2_000_000_000, 123456000), time.Unix(-5, 5e8), {}} {
		o := parse(t, `{"n":1.50}`)
		o.SetExpiresAt(expiry)
		o.SetText("issuer", `https://i/"é`)
		again := parse(t, o.Encode())
		want := time.UnixMicro(max(0, expiry.UnixMicro()))
		if got, err := again.ExpiresAt(); err != nil || got.Sub(want).Abs() > time.Microsecond {
			t.Errorf("expires_at is %v, %v, want %v", got, err, want)
		}
		if got := again.Text("issuer"); got != `https://i/"é` {
			t.Errorf("issuer is %q", got)
		}
		if string(again["n"]) != "1.50" {
			t.Errorf("another field is %s", again["n"])
		}
	}
}

// No error repeats what it was given.
func TestMistakes(t *testing.T) {
	if _, err := tokenjson.Parse([]byte(`["secret"]`)); err == nil || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
	for _, access := range []string{`null`, `""`, `["secret"]`, `"secret secret"`, `"secret\n"`, `"secreté"`} {
		o := parse(t, fmt.Sprintf(`{"access_token":%s}`, access))
		if got, err := o.AccessToken(); got != "" || err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("the access token %s: %q, %v", access, got, err)
		}
	}
	for _, text := range []string{`{}`, `{"expires_at":null}`, `{"expires_at":"secret"}`} {
		if got, err := parse(t, text).ExpiresAt(); !got.IsZero() || err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
