package display_test

import (
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
)

func TestLife(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                      "0s",
		1499 * time.Millisecond:           "1s",
		time.Minute:                       "1m",
		90 * time.Second:                  "1m30s",
		time.Hour - time.Millisecond:      "1h0m",
		time.Hour + time.Second:           "1h0m1s",
		48*time.Hour - time.Second:        "47h59m59s",
		48*time.Hour - time.Millisecond:   "2d0h",
		54*time.Hour + 29*time.Minute:     "2d6h",
		54*time.Hour + 31*time.Minute:     "2d7h",
		365*24*time.Hour - 20*time.Minute: "365d0h",
		365*24*time.Hour - 40*time.Minute: "364d23h",
	} {
		if got := display.Life(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, test := range []struct{ got, want string }{
		{display.Line("two\nlines\x1b[2J"), "two; lines\uFFFD[2J"},
		{display.Line("Grüße 衛星"), "Grüße 衛星"},
		{display.ShellWord("a-b_c.d/e:f"), "a-b_c.d/e:f"},
		{display.ShellWord(""), "''"},
		{display.ShellWord("it's $HOME"), `'it'\''s $HOME'`},
		{display.URL("https://user:hunter2@host/path"), "https://user:xxxxx@host/path"},
		{display.URL("https://host/path"), "https://host/path"},
		{display.URL("https://user:hunter2@host:port/%zz"), "[not a URL]"},
		{display.Time(time.Time{}), ""},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

// Claims that a token lacks have no line, and none of the others' text controls the terminal.
func TestClaims(t *testing.T) {
	c := shsession.Claims{Subject: "me\x1b", ExpiresAt: time.Now().Add(time.Hour)}
	text := display.Claims(c, "https://issuer.example")
	if !strings.HasPrefix(text, "user       me\uFFFD\nexpires    ") || strings.Contains(text, "issuer    ") ||
		!strings.HasSuffix(text, "signature  verified with the keys of https://issuer.example\n") {
		t.Errorf("got %q", text)
	}
}
