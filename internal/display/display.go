// Package display writes values for people.
package display

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/shsession/shsession"
)

// Line makes one line of text that may come from elsewhere: an endpoint's words must not control
// the terminal.
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ReplaceAll(text, "\n", "; "))
}

// Time writes a time in this machine's zone, "" for the zero time.
func Time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}

// Life writes a duration to the second, or to the hour from two days on. A negative duration is 0s.
func Life(d time.Duration) string {
	d = max(d, 0).Round(time.Second)
	if d >= 48*time.Hour {
		hours := d.Round(time.Hour) / time.Hour
		return fmt.Sprintf("%dd%dh", hours/24, hours%24)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return text
}

// ShellWord writes a word so that a shell takes it as it is.
func ShellWord(word string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:@+,=%", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// URL writes a URL with xxxxx in the place of its password.
func URL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "[not a URL]"
	}
	return u.Redacted()
}

// Claims writes a token's claims, one on a line. verifier is the issuer whose keys have verified
// the token's signature, "" if that wasn't checked.
func Claims(c shsession.Claims, verifier string) string {
	var text strings.Builder
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&text, "%-9s  %s\n", name, Line(value))
		}
	}
	row("client", c.ClientID())
	row("user", c.Subject)
	row("issuer", c.Issuer)
	row("scope", c.Scope)
	row("issued", Time(c.IssuedAt))
	if !c.ExpiresAt.IsZero() {
		row("expires", Time(c.ExpiresAt)+", in "+Life(time.Until(c.ExpiresAt)))
	}
	if verifier != "" {
		row("signature", "verified with the keys of "+verifier)
	}
	return text.String()
}
