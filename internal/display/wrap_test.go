package display_test

import (
	"testing"

	"github.com/shsession/shsession/internal/display"
)

func TestWrap(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":        {"", ""},
		"fits":           {"one two", "one two"},
		"exactly":        {"one two th", "one two th"},
		"breaks":         {"one two three", "one two\nthree"},
		"joins":          {"one\ntwo\nthree", "one two\nthree"},
		"characters":     {"ééé ééé éé", "ééé ééé éé"},
		"a long word":    {"a loooooooooooong b", "a\nloooooooooooong\nb"},
		"paragraphs":     {"one\n\ntwo", "one\n\ntwo"},
		"indented lines": {"one\n  two   three four\ntwo\n", "one\n  two   three four\ntwo"},
	} {
		if got := display.Wrap(test.text, 10); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}
