// Package secrettext looks at secrets for what was copied by mistake. What it says of a secret
// doesn't repeat it.
package secrettext

import (
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shsession/shsession"
)

// errControl is returned by Check.
var errControl = errors.New("the secret holds a control character, such as a tab or a line end, which no client secret does (RFC 6749, appendix A)")

// Check refuses a secret with control characters.
func Check(s shsession.Secret) error {
	if strings.ContainsFunc(s.Reveal(), unicode.IsControl) {
		return errControl
	}
	return nil
}

// Around names what stands around a secret and is probably no part of it, such as "a quote before
// and behind it", and returns the secret without that. Where there is nothing, found is "".
func Around(s shsession.Secret) (found string, bare shsession.Secret) {
	text := s.Reveal()
	var before, behind string
	for {
		r, size := utf8.DecodeRuneInString(text)
		what := name(r)
		if what == "" || size == len(text) {
			break
		}
		before, text = also(before, what), text[size:]
	}
	for {
		what, size := lineEnd(text)
		if what == "" {
			r, n := utf8.DecodeLastRuneInString(text)
			what, size = name(r), n
		}
		if what == "" || size == len(text) {
			break
		}
		behind, text = also(behind, what), text[:len(text)-size]
	}
	switch {
	case before == behind && before != "":
		found = before + " before and behind it"
	case before != "" && behind != "":
		found = before + " before it and " + behind + " behind it"
	case before != "":
		found = before + " before it"
	case behind != "":
		found = behind + " behind it"
	}
	return found, shsession.NewSecret(text)
}

// also adds what is found to what was found before.
func also(found, what string) string {
	switch {
	case found == "":
		return what
	case strings.Contains(found, what):
		return found
	}
	return found + " and " + what
}

// name returns what a character is called if it is probably no part of a secret, else "".
func name(r rune) string {
	switch {
	case r == '\uFEFF':
		return "a byte order mark"
	case r == '\n' || r == '\r':
		return "a line end"
	case strings.ContainsRune("\"'`“”„‘’«»", r):
		return "a quote"
	case unicode.IsSpace(r):
		return "a blank"
	case unicode.Is(unicode.Cf, r):
		return "an invisible character"
	}
	return ""
}

// lineEnd returns what a line's end as programs write it is called, and its size at the end of text.
func lineEnd(text string) (what string, size int) {
	for _, end := range []string{`\r\n`, `\n`, `\r`} {
		if strings.HasSuffix(text, end) {
			return "a line end", len(end)
		}
	}
	return "", 0
}
