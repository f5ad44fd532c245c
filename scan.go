package shsession

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// A scanner checks and splits a JSON object in one pass (RFC 8259). encoding/json would
// take five times as long, and reading a token is most of what a worker pays for joining.
// It takes what encoding/json takes, which a fuzz target compares.
type scanner struct {
	data  string
	pos   int
	depth int
}

// maxDepth is encoding/json's.
const maxDepth = 10000

// scanObject calls field with each key and value of the object that data is, the key
// unquoted and the value as it stands. It reports false if data isn't a JSON object.
func scanObject(data string, field func(key, value string)) bool {
	s := scanner{data: data}
	s.space()
	return s.object(field) && s.end()
}

func (s *scanner) end() bool {
	s.space()
	return s.pos == len(s.data)
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\t', '\r', '\n':
			s.pos++
		default:
			return
		}
	}
}

// take moves past c if that is next.
func (s *scanner) take(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// object moves past an object. field may be nil.
func (s *scanner) object(field func(key, value string)) bool {
	return s.list('{', '}', func() bool {
		from := s.pos
		if !s.str() {
			return false
		}
		key := s.data[from:s.pos]
		s.space()
		if !s.take(':') {
			return false
		}
		s.space()
		from = s.pos
		if !s.value() {
			return false
		}
		if field != nil {
			field(unquote(key), s.data[from:s.pos])
		}
		return true
	})
}

// list moves past what stands between open and shut, with commas between the items.
func (s *scanner) list(open, shut byte, item func() bool) bool {
	if s.depth++; s.depth > maxDepth || !s.take(open) {
		return false
	}
	defer func() { s.depth-- }()
	if s.space(); s.take(shut) {
		return true
	}
	for {
		if s.space(); !item() {
			return false
		}
		if s.space(); s.take(shut) {
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *scanner) value() bool {
	if s.pos == len(s.data) {
		return false
	}
	switch s.data[s.pos] {
	case '"':
		return s.str()
	case '{':
		return s.object(nil)
	case '[':
		return s.list('[', ']', s.value)
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) word(word string) bool {
	if len(s.data)-s.pos < len(word) || s.data[s.pos:s.pos+len(word)] != word {
		return false
	}
	s.pos += len(word)
	return true
}

// str moves past a string.
func (s *scanner) str() bool {
	if !s.take('"') {
		return false
	}
	for quote := -1; ; {
		if quote < s.pos { // at first, and when it was an escaped one
			i := strings.IndexByte(s.data[s.pos:], '"')
			if i < 0 {
				return false
			}
			quote = s.pos + i
		}
		plain := s.data[s.pos:quote]
		escape := strings.IndexByte(plain, '\\')
		if escape < 0 {
			s.pos = quote + 1
			return !anyBelow(plain, ' ')
		}
		s.pos += escape + 1
		if anyBelow(plain[:escape], ' ') || !s.escape() {
			return false
		}
	}
}

// escape moves past what follows a backslash.
func (s *scanner) escape() bool {
	if s.pos == len(s.data) {
		return false
	}
	c := s.data[s.pos]
	s.pos++
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if s.pos == len(s.data) || !isHexDigit(s.data[s.pos]) {
				return false
			}
			s.pos++
		}
		return true
	}
	return false
}

func isHexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func (s *scanner) number() bool {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return false
	}
	if s.take('.') && !s.digits() {
		return false
	}
	if s.take('e') || s.take('E') {
		_ = s.take('+') || s.take('-')
		return s.digits()
	}
	return true
}

// digits moves past one digit or more.
func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.data) && '0' <= s.data[s.pos] && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > from
}

// unquote returns the text of a valid JSON string, and "" for any other value.
func unquote(raw string) string {
	if len(raw) < 2 || raw[0] != '"' {
		return ""
	}
	if text := raw[1 : len(raw)-1]; strings.IndexByte(text, '\\') < 0 && utf8.ValidString(text) {
		return text
	}
	var text string
	_ = json.Unmarshal([]byte(raw), &text) // it is valid
	return text
}

// A token is a kilobyte or two of text in one string, so what is done for each byte of it
// is done for eight at a time: see hasless and hasmore in Sean Anderson's "Bit Twiddling
// Hacks".
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// anyBelow reports whether a byte of text is less than limit, which is at most 128.
func anyBelow(text string, limit byte) bool {
	for ; len(text) >= 8; text = text[8:] {
		if x := word(text); (x-ones*uint64(limit))&^x&highs != 0 {
			return true
		}
	}
	for i := range len(text) {
		if text[i] < limit {
			return true
		}
	}
	return false
}

// anyAbove reports whether a byte of text is greater than limit, which is at most 127.
func anyAbove(text string, limit byte) bool {
	for ; len(text) >= 8; text = text[8:] {
		if x := word(text); (x+ones*uint64(127-limit)|x)&highs != 0 {
			return true
		}
	}
	for i := range len(text) {
		if text[i] > limit {
			return true
		}
	}
	return false
}

// word returns the first eight bytes of text, which the compiler loads as one.
func word(text string) uint64 {
	_ = text[7]
	return uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
		uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
}
