package redact

import (
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A layer is a text with its escapes undone, any number of times.
type layer struct {
	text string
	at   []int // where each byte begins in the original text, and where that ends
}

// plain returns the original text.
func plain(text string) layer {
	at := make([]int, len(text)+1)
	for i := range at {
		at[i] = i
	}
	return layer{text, at}
}

// An encoding is a way to escape characters.
type encoding struct {
	escape *regexp.Regexp
	undo   func(escape string) string
}

var (
	percentEscape   = regexp.MustCompile(`%[0-9a-fA-F]{2}`)
	backslashEscape = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}` +
		`|\\u[0-9a-fA-F]{4}|\\u\{[0-9a-fA-F]{1,6}\}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[0-7]{1,3}|\\[^0-7]`)
	htmlEscape = regexp.MustCompile(`&#[0-9]{1,9};?|&#[xX][0-9a-fA-F]{1,8};?|&[a-zA-Z][a-zA-Z0-9]{1,31};?`)
)

func encodings() []encoding {
	return []encoding{
		{percentEscape, func(escape string) string { return numbered(escape[1:], 16, 8) }},
		{backslashEscape, undoBackslash},
		{htmlEscape, html.UnescapeString},
	}
}

// decode returns the text with all escapes of an encoding undone. ok is false if there are
// none.
func (l layer) decode(e encoding) (decoded layer, ok bool) {
	escapes := e.escape.FindAllStringIndex(l.text, -1)
	if len(escapes) == 0 {
		return layer{}, false
	}
	var text strings.Builder
	at := make([]int, 0, len(l.at))
	end := 0
	for _, escape := range escapes {
		text.WriteString(l.text[end:escape[0]])
		at = append(at, l.at[end:escape[0]]...)
		undone := e.undo(l.text[escape[0]:escape[1]])
		text.WriteString(undone)
		for range len(undone) {
			at = append(at, l.at[escape[0]])
		}
		end = escape[1]
	}
	text.WriteString(l.text[end:])
	return layer{text.String(), append(at, l.at[end:]...)}, true
}

// undoBackslash undoes one escape of JSON, Go, Python, JavaScript or C.
func undoBackslash(escape string) string {
	switch kind, digits := escape[1], escape[2:]; {
	case len(escape) == 12 && kind == 'u': // a surrogate pair
		high, _ := strconv.ParseUint(digits[:4], 16, 32)
		low, _ := strconv.ParseUint(digits[6:], 16, 32)
		return string(utf16.DecodeRune(rune(high), rune(low)))
	case digits != "" && (kind == 'u' || kind == 'U'):
		return numbered(strings.Trim(digits, "{}"), 16, 32)
	case digits != "" && kind == 'x':
		return numbered(digits, 16, 8)
	case '0' <= kind && kind <= '7':
		return numbered(escape[1:], 8, 8)
	}
	if i := strings.Index("abfnrtv", escape[1:]); i >= 0 {
		return "\a\b\f\n\r\t\v"[i : i+1]
	}
	return escape[1:]
}

// numbered returns the byte, of 8 bits, or the character of that number.
func numbered(digits string, base, bits int) string {
	n, err := strconv.ParseUint(digits, base, 32)
	switch {
	case err != nil:
		return ""
	case bits == 8:
		return string([]byte{byte(n)})
	}
	return string(utf8.AppendRune(nil, rune(n)))
}
