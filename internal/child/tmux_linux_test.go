package child_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// A full-screen program is drawn at the terminal's size, follows it, stops, comes back whole, and
// ends with its own code.
func TestFullScreen(t *testing.T) {
	t.Parallel()
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("a line of the text\n", 200)+"the last line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		program string
		mode    string // the key for a mode that ^C ends
		shows   string // what is shown in that mode
		quit    []string
	}{
		{"less", "F", "Waiting for data", []string{"q"}},
		{"vim", "A", "-- INSERT --", []string{":q!", "Enter"}},
	}
	for _, test := range tests {
		t.Run(test.program, func(t *testing.T) {
			testkit.Need(t, test.program)
			p := testkit.StartPane(t, 80, 24, "wrap=env "+roleVariable+"=wrap "+self(t))
			p.Command(t, "clear; $wrap "+test.program+" "+text)
			p.Await(t, strings.Repeat("a line of the text\n", 22))
			p.Resize(t, 100, 40)
			p.Await(t, strings.Repeat("a line of the text\n", 38))
			for range 3 {
				p.Keys(t, "C-z")
				p.Await(t, "Stopped")
				p.Command(t, "clear; echo in the she''ll")
				p.Await(t, "in the shell")
				p.Command(t, "fg")
				p.Await(t, strings.Repeat("a line of the text\n", 38))
			}
			p.Keys(t, "G")
			p.Await(t, "the last line")
			p.Keys(t, test.mode)
			p.Await(t, test.shows)
			p.Keys(t, "C-c")
			p.AwaitThat(t, "the mode to end", func(shown string) bool { return !strings.Contains(shown, test.shows) })
			p.Keys(t, test.quit...)
			p.Await(t, "prompt>")
			p.Command(t, "echo code=$?")
			p.Await(t, "code=0")
		})
	}
}
