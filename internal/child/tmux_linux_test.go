package child_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/needtest"
)

// A pane is the one pane of a tmux server of its own, with an interactive shell.
type pane struct{ socket string }

func startPane(t *testing.T) *pane {
	t.Helper()
	p := &pane{socket: filepath.Join(t.TempDir(), "tmux")}
	p.tmux(t, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "env", "PS1=prompt> ", "wrap=env "+roleVariable+"=wrap "+self(t), "sh", "-i")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the pane shows:\n%s", p.shown(t))
		}
		p.tmux(t, "kill-server")
	})
	p.await(t, "prompt>")
	return p
}

func (p *pane) tmux(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...)
	cmd.Env = append(os.Environ(), "TMUX=", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

func (p *pane) keys(t *testing.T, keys ...string) {
	t.Helper()
	p.tmux(t, append([]string{"send-keys"}, keys...)...)
}

func (p *pane) shown(t *testing.T) string {
	t.Helper()
	return p.tmux(t, "capture-pane", "-p")
}

func (p *pane) await(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the pane to show "+text, func() bool { return strings.Contains(p.shown(t), text) })
}

// A full-screen program is drawn at the terminal's size, follows it, stops, comes back whole, and
// ends with its own code.
func TestFullScreen(t *testing.T) {
	needtest.Program(t, "tmux")
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
			needtest.Program(t, test.program)
			p := startPane(t)
			p.keys(t, "clear; $wrap "+test.program+" "+text, "Enter")
			p.await(t, strings.Repeat("a line of the text\n", 22))
			p.tmux(t, "resize-window", "-x", "100", "-y", "40")
			p.await(t, strings.Repeat("a line of the text\n", 38))
			for range 3 {
				p.keys(t, "C-z")
				p.await(t, "Stopped")
				p.keys(t, "clear; echo in the she''ll", "Enter")
				p.await(t, "in the shell")
				p.keys(t, "fg", "Enter")
				p.await(t, strings.Repeat("a line of the text\n", 38))
			}
			p.keys(t, "G")
			p.await(t, "the last line")
			p.keys(t, test.mode)
			p.await(t, test.shows)
			p.keys(t, "C-c")
			eventually(t, "the mode to end", func() bool { return !strings.Contains(p.shown(t), test.shows) })
			p.keys(t, test.quit...)
			p.await(t, "prompt>")
			p.keys(t, "echo code=$?", "Enter")
			p.await(t, "code=0")
		})
	}
}
