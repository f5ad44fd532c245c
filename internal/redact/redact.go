// Package redact removes a client's secret from text that somebody else wrote.
package redact

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode"
)

// depth is how many encodings around one another are undone.
const depth = 3

// Secret returns text with mark in the place of the secret, in every encoding in which an
// answer may repeat it: as it is; in hexadecimal or base64 (RFC 4648), alone or as a part of
// what was encoded, such as Basic credentials (RFC 7617); and each of these percent-encoded
// (RFC 3986), or escaped as in JSON (RFC 8259), in Go and in other languages, or as in HTML,
// up to three times, in any order.
func Secret(text, clientID, secret, mark string) string {
	if secret == "" {
		return text
	}
	found := find(plain(text), forms(clientID, secret), depth)
	slices.SortFunc(found, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var clean strings.Builder
	end := 0
	for _, f := range found {
		if f.from >= end {
			clean.WriteString(text[end:f.from])
			clean.WriteString(mark)
		}
		end = max(end, f.to)
	}
	clean.WriteString(text[end:])
	return clean.String()
}

// Text does what Secret does, and replaces control characters by blanks and cuts off an
// end that nobody would read.
func Text(text, clientID, secret, mark string) string {
	const longest = 500
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, Secret(text, clientID, secret, mark))
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}

// Error returns err, or an error with its Text alone if that is another text: net/http quotes
// what it doesn't understand of an answer.
func Error(err error, clientID, secret, mark string) error {
	if text := Text(err.Error(), clientID, secret, mark); text != err.Error() {
		return errors.New(text)
	}
	return err
}

// A span is a part of a text, in bytes.
type span struct{ from, to int }

// find returns where in the original text a form is, in l or in what l decodes to, so many
// times.
func find(l layer, forms []form, times int) (found []span) {
	for _, f := range forms {
		text := l.text
		if f.inWords {
			text = inWords(text)
		}
		for from := 0; ; {
			i := strings.Index(text[from:], f.text)
			if i < 0 {
				break
			}
			from += i
			to := from + len(f.text)
			found = append(found, span{l.at[max(0, from-f.before)], l.at[min(len(text), to+f.behind)]})
			from = to
		}
	}
	if times == 0 {
		return found
	}
	for _, e := range encodings() {
		if decoded, ok := l.decode(e); ok {
			found = append(found, find(decoded, forms, times-1)...)
		}
	}
	return found
}
