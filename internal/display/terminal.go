package display

import (
	"io"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"
)

// Terminal returns a stream as a file if it is a terminal, else nil.
func Terminal(stream any) *os.File {
	if file, ok := stream.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

// CanDraw reports whether out is a terminal that understands control sequences, which one without a
// name (TERM) doesn't promise.
func CanDraw(out io.Writer) bool {
	switch name := os.Getenv("TERM"); {
	case runtime.GOOS == "windows", name == "", name == "dumb":
		return false
	}
	return Terminal(out) != nil
}

// IsUTF8 reports whether the user's locale is one of UTF-8, as setlocale(3) chooses it.
func IsUTF8() bool {
	for _, variable := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := os.Getenv(variable); locale != "" {
			locale = strings.ToLower(locale)
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}
