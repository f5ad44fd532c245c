package display_test

import (
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/display"
)

// Where out is no terminal, rows are in columns however wide they are.
func TestTable(t *testing.T) {
	var out strings.Builder
	long := strings.Repeat("x", 300)
	if err := display.Table(&out, []string{"NAME", "LEFT"}, [][]string{{"a", "1h"}, {long, ""}}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 4 || strings.Index(lines[0], "LEFT") != 302 || strings.Index(lines[1], "1h") != 302 {
		t.Errorf("%q", lines)
	}
}

func TestIsUTF8(t *testing.T) {
	for _, test := range []struct {
		all, ctype, lang string
		want             bool
	}{
		{"", "", "", false}, {"", "", "en_GB.UTF-8", true}, {"C", "", "en_GB.UTF-8", false}, {"", "C.utf8", "C", true},
		{"", "de_DE.ISO-8859-1", "C.UTF-8", false}, {"POSIX", "", "", false},
	} {
		t.Setenv("LC_ALL", test.all)
		t.Setenv("LC_CTYPE", test.ctype)
		t.Setenv("LANG", test.lang)
		if got := display.IsUTF8(); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
