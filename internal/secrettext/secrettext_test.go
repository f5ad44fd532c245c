package secrettext_test

import (
	"strings"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/secrettext"
)

func TestAround(t *testing.T) {
	for text, want := range map[string]string{
		"hunter2":             "",
		"hun ter\"2":          "",
		"":                    "",
		"'":                   "",
		" hunter2":            "a blank before it",
		"hunter2 \t":          "a blank behind it",
		"\u00a0hunter2\u00a0": "a blank before and behind it",
		`"hunter2"`:           "a quote before and behind it",
		"'hunter2":            "a quote before it",
		"“hunter2”":           "a quote before and behind it",
		"\ufeffhunter2\r\n":   "a byte order mark before it and a line end behind it",
		`hunter2\n`:           "a line end behind it",
		"\u200bhunter2":       "an invisible character before it",
		" \"hunter2\" ":       "a blank and a quote before and behind it",
	} {
		found, bare := secrettext.Around(shsession.NewSecret(text))
		if found != want {
			t.Errorf("%q: %q, want %q", text, found, want)
		}
		if want != "" && bare.Reveal() != "hunter2" || want == "" && bare.Reveal() != text {
			t.Errorf("%q: without what is around it: %q", text, bare.Reveal())
		}
		if strings.Contains(found, "hunter") {
			t.Errorf("%q repeats the secret", found)
		}
	}
}

func TestCheck(t *testing.T) {
	for text, isGood := range map[string]bool{
		"hunter2": true, "": true, " ~!\"'": true, "hüñter": true,
		"hun\tter2": false, "hunter2\n": false, "\x00": false, "\x1b[200~hunter2": false, "hunter\x7f": false, "\u0085hunter": false,
	} {
		if err := secrettext.Check(shsession.NewSecret(text)); (err == nil) != isGood {
			t.Errorf("%q: %v", text, err)
		}
	}
}
