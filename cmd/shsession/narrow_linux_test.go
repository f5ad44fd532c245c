package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shsession/shsession/internal/testkit"
)

// On a narrow terminal help, status and profile show have lines that fit, but for words that don't: no word is
// broken by the terminal. On a wide one they are tables.
func TestNarrowTerminal(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	name := unique()
	startShare(t, env, name)
	for command, isTable := range map[string]string{
		"status " + name: "NAME +CLIENT +LEFT",
		"profile show":   "sh_client_id +" + clientIn(env) + " +SH_CLIENT_ID",
		"token --help":   "",
	} {
		for _, width := range []uint16{48, 300} {
			c := testkit.Shell(t, "sh", append(isolated(t.TempDir()), env...)...)
			c.Resize(t, width, 50)
			c.Type(t, "shsession "+command+" | cat; echo e''nd\r", "\\send\\s") // not a terminal
			c.Await(t, "prompt> ")
			shown := c.Type(t, "shsession "+command+"; echo e''nd\r", "(?s)echo e''nd\r?\n(.*)\\send\\s")[1]
			if width == 300 && isTable != "" {
				c.Type(t, "shsession "+command+"\r", isTable)
				continue
			}
			for line := range strings.Lines(shown) {
				line = strings.TrimRight(line, "\r\n")
				fits := utf8.RuneCountInString(line) <= int(width)
				if !fits && width < 80 && len(strings.Fields(line)) > 2 && !strings.HasPrefix(line, "  shsession ") {
					t.Errorf("%s, %d columns: %q", command, width, line)
				}
			}
		}
	}
}
