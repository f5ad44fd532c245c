package shm_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/shsession/shsession/shm"
)

func TestOpenChecksTheName(t *testing.T) {
	for _, name := range []string{
		"", ".", "..", ".hidden", "a/b", "/a", `a\b`, `Global\a`, "a\x00b", strings.Repeat("x", 256),
	} {
		if _, err := shm.Open(name); err == nil || errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Open(%.20q): %v, want an error about the name", name, err)
		}
	}
	for _, name := range []string{shm.DefaultName, "a", "a.b", "a:b", "NUL", "ž", "with space", strings.Repeat("x", 255)} {
		s, err := shm.Open(name)
		switch {
		case err != nil:
			t.Errorf("Open(%q): %v", name, err)
		case s.String() != "shm:"+name:
			t.Errorf("Open(%q) is called %s", name, s)
		}
	}
}
