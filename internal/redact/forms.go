package redact

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// A form is what a secret looks like where nothing is escaped.
type form struct {
	text           string
	inWords        bool // text is what inWords returns
	before, behind int  // characters around it that hold bits of the secret too
}

// inWords returns text with + for each space, which a URL's query may have.
func inWords(text string) string { return strings.ReplaceAll(text, " ", "+") }

func forms(clientID, secret string) []form {
	all := []form{{text: inWords(secret), inWords: true}}
	if latin1, ok := inLatin1(secret); ok {
		all = append(all, form{text: inWords(latin1), inWords: true})
	}
	if numbered := byHTMLNumbers(secret); numbered != secret {
		all = append(all, form{text: inWords(numbered), inWords: true})
	}
	digits := hex.EncodeToString([]byte(secret))
	all = append(all, form{text: digits}, form{text: strings.ToUpper(digits)})
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for _, whole := range []string{secret, clientID + ":" + secret, url.QueryEscape(clientID) + ":" + url.QueryEscape(secret)} {
			all = append(all, form{text: alphabet.EncodeToString([]byte(whole))})
		}
		for _, part := range []string{secret, url.QueryEscape(secret)} {
			all = append(all, partsInBase64(alphabet, part)...)
		}
	}
	return all
}

// partsInBase64 returns what text looks like as a part of something in base64: it begins at
// the first, second or third of three bytes.
func partsInBase64(alphabet *base64.Encoding, text string) (parts []form) {
	const shortest = 8 // anything shorter may be there by chance
	for shift := range 3 {
		encoded := alphabet.EncodeToString([]byte("..."[:shift] + text))
		first, end := (shift*8+5)/6, (shift+len(text))*8/6 // the characters that hold nothing else
		if end-first < shortest {
			continue
		}
		part := form{text: encoded[first:end]}
		if shift > 0 {
			part.before = 1
		}
		if end < len(encoded) {
			part.behind = 1
		}
		parts = append(parts, part)
	}
	return parts
}

// inLatin1 returns text in ISO 8859-1, which is what escapes of single bytes may mean. ok is
// false if there is no such text, or if it is the same in UTF-8.
func inLatin1(text string) (latin1 string, ok bool) {
	var b []byte
	for _, r := range text {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), len(b) < len(text)
}

// byHTMLNumbers returns what is read when text is written in HTML by its characters' numbers:
// 128 to 159 are control characters in Unicode, and other characters in HTML, as &#132; is „.
func byHTMLNumbers(text string) string {
	var b strings.Builder
	for _, r := range text {
		fmt.Fprintf(&b, "&#%d;", r)
	}
	return html.UnescapeString(b.String())
}
