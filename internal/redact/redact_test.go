package redact_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shsession/shsession/internal/redact"
)

const (
	client = "client-7"
	mark   = "[redacted]"
	odd    = "s\"e'c r&e<t>/é%+1\\n😀\u0084\tend=~"
)

// each writes every character of text by itself.
func each(text, format string) string {
	var all strings.Builder
	for _, r := range text {
		fmt.Fprintf(&all, format, r)
	}
	return all.String()
}

func eachByte(text, format string) string {
	var all strings.Builder
	for _, b := range []byte(text) {
		fmt.Fprintf(&all, format, b)
	}
	return all.String()
}

func inJSON(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b[1 : len(b)-1])
}

// asciiJSON writes a string as Python's json.dumps and Java's libraries do.
func asciiJSON(text string) string {
	quoted := strconv.QuoteToASCII(text)
	for _, r := range text {
		if r > 0xffff {
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			quoted = strings.ReplaceAll(quoted, fmt.Sprintf(`\U%08x`, r), fmt.Sprintf(`\u%04x\u%04X`, high, low))
		}
	}
	return quoted[1 : len(quoted)-1]
}

func goQuoted(text string) string { q := strconv.Quote(text); return q[1 : len(q)-1] }

func named(text string) string {
	return strings.NewReplacer("&", "&amp;", `"`, "&quot;", "'", "&apos;", "/", "&sol;", "%", "&percnt;", "é", "&eacute;",
		"+", "&plus;", "<", "&lt;", ">", "&gt;", "\\", "&bsol;", "=", "&equals;", "\t", "&Tab;").Replace(text)
}

// encoders are ways to write a text that the text can be read from.
var encoders = map[string]func(string) string{
	"plain":           func(s string) string { return s },
	"query":           url.QueryEscape,
	"path":            url.PathEscape,
	"percent, lower":  func(s string) string { return eachByte(s, "%%%02x") },
	"percent, upper":  func(s string) string { return eachByte(s, "%%%02X") },
	"JSON":            inJSON,
	"JSON, ASCII":     asciiJSON,
	"JSON, slash":     func(s string) string { return strings.ReplaceAll(inJSON(s), "/", `\/`) },
	"Go":              goQuoted,
	"Go, ASCII":       func(s string) string { q := strconv.QuoteToASCII(s); return q[1 : len(q)-1] },
	"bytes, hex":      func(s string) string { return eachByte(s, `\x%02x`) },
	"bytes, octal":    func(s string) string { return eachByte(s, `\%03o`) },
	"code points":     func(s string) string { return each(s, `\u{%x}`) },
	"\\U":             func(s string) string { return each(s, `\U%08X`) },
	"HTML":            html.EscapeString,
	"HTML, named":     named,
	"HTML, decimal":   func(s string) string { return each(s, "&#%d;") },
	"HTML, hex":       func(s string) string { return each(s, "&#x%x;") },
	"HTML, upper hex": func(s string) string { return each(s, "&#X%04X;") },
	"hex":             func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hex, upper":      func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
	"base64":          func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64url":       func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"Basic":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(client + ":" + s)) },
	"Basic, RFC 6749": func(s string) string {
		return base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(client) + ":" + url.QueryEscape(s)))
	},
}

// escapes are the encoders that Secret undoes several of.
var escapes = []string{
	"plain", "query", "path", "percent, lower", "percent, upper", "JSON", "JSON, ASCII", "JSON, slash", "Go", "Go, ASCII",
	"bytes, hex", "bytes, octal", "code points", "\\U", "HTML", "HTML, named", "HTML, decimal", "HTML, hex", "HTML, upper hex",
}

func TestSecret(t *testing.T) {
	for inner, encode := range encoders {
		for _, outer := range escapes {
			repeated := encoders[outer](encode(odd))
			text := encoders[outer]("no <") + repeated + encoders[outer]("> here")
			got := redact.Secret(text, client, odd, mark)
			rest := strings.Replace(got, mark, "", 1)
			if !strings.Contains(got, mark) || len(rest) > len(text)-len(repeated)+len(encoders[outer]("==")) {
				t.Errorf("%s in %s: %s", inner, outer, got)
			}
		}
	}
	for what, text := range map[string]string{
		"JSON in HTML in a URL": url.QueryEscape(html.EscapeString(inJSON(odd))),
		"JSON in JSON in JSON":  inJSON(inJSON(inJSON(odd))),
		"encoded three times":   url.QueryEscape(url.QueryEscape(url.QueryEscape(odd))),
		"HTML three times":      html.EscapeString(html.EscapeString(html.EscapeString(odd))),
		"escaped in part":       strings.Replace(odd, "t", "&#116;", 1),
	} {
		if got := redact.Secret("a "+text+" b", client, odd, mark); got != "a "+mark+" b" {
			t.Errorf("%s: %s", what, got)
		}
	}
}

// An error that shows no secret stays the same error.
func TestError(t *testing.T) {
	if err := redact.Error(io.ErrUnexpectedEOF, client, "secret", mark); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	err := redact.Error(fmt.Errorf("malformed answer \"secret\": %w", io.ErrUnexpectedEOF), client, "secret", mark)
	if errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != `malformed answer "[redacted]": unexpected EOF` {
		t.Error(err)
	}
}

// A byte of another character set than UTF-8 hides nothing.
func TestLatin1(t *testing.T) {
	for _, text := range []string{"caf%E9-au-lait", `caf\xe9-au-lait`, `caf\351-au-lait`, "caf\xe9-au-lait"} {
		if got := redact.Secret("a "+text+" b", client, "café-au-lait", mark); got != "a "+mark+" b" {
			t.Errorf("%s: %s", text, got)
		}
	}
}

// A secret in the middle of what is in base64 is cut out, wherever it begins.
func TestPartOfBase64(t *testing.T) {
	const secret = "correct-horse-battery"
	for shift := range 6 {
		before, behind := strings.Repeat("(", shift), strings.Repeat(")", 5)
		for _, alphabet := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			got := redact.Secret(alphabet.EncodeToString([]byte(before+secret+behind)), client, secret, mark)
			left, right, ok := strings.Cut(got, mark)
			if !ok || len(left) > shift*8/6 || len(right) > len("))))")*8/6+4 {
				t.Errorf("%d characters before: %s", shift, got)
			}
		}
	}
}

// Nothing else is changed.
func TestUntouched(t *testing.T) {
	const text = `a "b\" %41 &amp; \u0041 100% \ & é 😀 c2VjcmV0`
	if got := redact.Secret(text, client, odd, mark); got != text {
		t.Errorf("got %s, want %s", got, text)
	}
	if got := redact.Secret(text, client, "", mark); got != text {
		t.Errorf("without a secret: %s", got)
	}
	if got := redact.Secret("aXa Xb X", client, "X", mark); got != "a"+mark+"a "+mark+"b "+mark {
		t.Errorf("several: %s", got)
	}
}

// FuzzSecret writes any secret in up to three encodings, one around the other.
func FuzzSecret(f *testing.F) {
	f.Add(odd, uint64(1))
	f.Add("a%41b\\x41&lt;", uint64(2))
	f.Add("\\\\//%%&&", uint64(3))
	f.Fuzz(func(t *testing.T, secret string, seed uint64) {
		if len(secret) < 4 || len(secret) > 100 || !utf8.ValidString(secret) || strings.Contains(secret, mark[1:4]) || strings.ContainsAny(secret, "\x00\ufffd") {
			t.Skip()
		}
		random := rand.New(rand.NewPCG(seed, 0))
		text, chain := secret, []string{}
		for range random.IntN(4) {
			name := escapes[random.IntN(len(escapes))]
			text, chain = encoders[name](text), append(chain, name)
		}
		if got := redact.Secret("a "+text+" b", client, secret, mark); !strings.Contains(got, mark) {
			t.Errorf("%q in %q: %s", secret, chain, got)
		}
	})
}

// An answer that is all escapes doesn't keep anybody busy for long.
func BenchmarkWorst(b *testing.B) {
	for name, text := range map[string]string{"percent": strings.Repeat("%25", 300_000), "mixed": strings.Repeat(`%5cu0026amp;`, 80_000)} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				redact.Secret(text, client, odd, mark)
			}
		})
	}
}
