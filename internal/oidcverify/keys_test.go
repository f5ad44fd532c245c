package oidcverify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/oidcverify"
)

// What a key set may hold beside the key in use (RFC 7517 section 5), and what is no key at
// all. No comma, so that they can be joined.
var unreadable = []string{
	`{"kty":"EC","crv":"secp256k1","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`,
	`{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}`,
	`{"kty":"OKP","crv":"Ed448","x":"AA"}`,
	`{"kty":"AKP","alg":"ML-DSA-44","pub":"AA"}`,
	`{"kty":"oct","k":"c2VjcmV0"}`,
	`{"kty":"quantum"}`,
	`{"kty":7}`,
	`{"kty":"RSA","use":"sig"}`,
	`{"kty":"RSA","n":"","e":""}`,
	`{"kty":"RSA","n":"!","e":"AQAB"}`,
	`{"kty":"RSA","n":"AQAB","e":"AQAB"}`,
	`{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":""}`,
	`{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQ"}`,
	`{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"` + strings.Repeat("_", 342) + `"}`,
	`{"kty":"RSA","n":"` + strings.Repeat("_", 10_000) + `","e":"AQAB"}`,
	`{"kty":"RSA","n":"` + strings.Repeat("_", 342) + `","e":"AQAB","use":"enc","alg":"RSA-OAEP"}`,
	`{}`, `[]`, `7`, `null`, `"key"`,
}

// keySet changes the JWK Set in the answers of another transport.
type keySet struct {
	next   http.RoundTripper
	change func(set []byte) (status int, text []byte)
}

func (k keySet) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := k.next.RoundTrip(r)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/certs") {
		return resp, err
	}
	defer resp.Body.Close()
	set, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	resp.StatusCode, set = k.change(set)
	resp.Body = io.NopCloser(bytes.NewReader(set))
	return resp, nil
}

// verifyWith returns a function that verifies a good token with a changed key set.
func verifyWith(t *testing.T) func(change func(set []byte) (int, []byte)) error {
	t.Helper()
	client, access, _ := service(t)
	return func(change func(set []byte) (int, []byte)) error {
		changed := &http.Client{Transport: keySet{client.Transport, change}}
		_, err := oidcverify.Verify(t.Context(), changed, issuer, access)
		return err
	}
}

// One key that can't be read keeps none of the others from being used, wherever it stands.
func TestUnreadableKeysAreIgnored(t *testing.T) {
	verify := verifyWith(t)
	for _, key := range unreadable {
		for _, first := range []bool{true, false} {
			err := verify(func(text []byte) (int, []byte) {
				var set struct{ Keys []json.RawMessage }
				if err := json.Unmarshal(text, &set); err != nil {
					t.Fatal(err)
				}
				if first {
					set.Keys = append([]json.RawMessage{json.RawMessage(key)}, set.Keys...)
				} else {
					set.Keys = append(set.Keys, json.RawMessage(key))
				}
				text, err := json.Marshal(set)
				if err != nil {
					t.Fatal(err)
				}
				return http.StatusOK, bytes.Replace(text, []byte("Keys"), []byte("keys"), 1)
			})
			if err != nil {
				t.Errorf("with %.60s, first: %t: %v", key, first, err)
			}
		}
	}
}

// A key set without the key in use is an error that says so.
func TestKeySetsWithoutTheKey(t *testing.T) {
	verify := verifyWith(t)
	all := `{"keys":[` + strings.Join(unreadable, ",") + `]}`
	for name, c := range map[string]struct {
		status int
		text   string
		want   string
	}{
		"none that is readable": {200, all, "none of its 21 keys"},
		"none":                  {200, `{"keys":[]}`, "none of its 0 keys"},
		"no set":                {200, `[]`, "key set"},
		"no JSON":               {200, `<html>`, "key set"},
		"too large":             {200, `{"keys":["` + strings.Repeat("x", 1<<20) + `"]}`, "more than"},
		"an error":              {503, `{"keys":[]}`, "503"},
	} {
		t.Run(name, func(t *testing.T) {
			err := verify(func([]byte) (int, []byte) { return c.status, []byte(c.text) })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Whatever a key set holds, reading it ends without a panic.
func FuzzKeySet(f *testing.F) {
	for _, key := range unreadable {
		f.Add([]byte(`{"keys":[` + key + `]}`))
	}
	client, access, _ := service(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		changed := &http.Client{Transport: keySet{client.Transport, func([]byte) (int, []byte) { return http.StatusOK, text }}}
		if _, err := oidcverify.Verify(t.Context(), changed, issuer, access); err == nil {
			t.Error("verified with a key that isn't the issuer's")
		}
	})
}
