package shsession_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/shsession/shsession"
)

// An answer may repeat the secret in any encoding: none of them is shown.
func TestARepeatedSecretIsNotShown(t *testing.T) {
	const odd = `s"e'c r&e<t>/é%+1`
	quoted, err := json.Marshal(odd)
	if err != nil {
		t.Fatal(err)
	}
	var escaped, numbered, hexed, percent strings.Builder
	for _, r := range odd {
		fmt.Fprintf(&escaped, `\u%04X`, r)
		fmt.Fprintf(&numbered, "&#%d;", r)
		fmt.Fprintf(&hexed, "&#x%x;", r)
	}
	for _, b := range []byte(odd) {
		fmt.Fprintf(&percent, "%%%02x", b)
	}
	for name, repeated := range map[string]string{
		"plain":      odd,
		"query":      url.QueryEscape(odd),
		"path":       url.PathEscape(odd),
		"percent":    percent.String(),
		"JSON":       strings.Trim(string(quoted), `"`),
		"JSON, all":  escaped.String(),
		"JSON slash": strings.ReplaceAll(strings.ReplaceAll(odd, "/", `\/`), `"`, `\"`),
		"HTML":       html.EscapeString(odd),
		"HTML, all":  numbered.String(),
		"HTML, hex":  hexed.String(),
		"base64":     base64.StdEncoding.EncodeToString([]byte(odd)),
		"base64url":  base64.URLEncoding.EncodeToString([]byte(odd)),
		"Basic":      base64.StdEncoding.EncodeToString([]byte(clientID + ":" + odd)),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body, err := json.Marshal(map[string]string{"error": "invalid_client", "error_description": "no <" + repeated + "> here"})
				if err != nil {
					t.Fatal(err)
				}
				cfg := configFor(answer(401, "application/json", string(body)))
				cfg.ClientSecret = shsession.NewSecret(odd)
				_, err = newSession(t, cfg).Token(t.Context())
				if text := err.Error(); !strings.Contains(text, "no <[redacted]") || !strings.Contains(text, "> here") {
					t.Errorf("the error shows what was repeated: %s", text)
				}
			})
		})
	}
}
