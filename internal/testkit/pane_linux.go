package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A Pane is the one pane of a tmux server of its own: unlike a Console it draws what full-screen programs show.
type Pane struct{ socket string }

// StartPane starts an interactive sh in a pane of that size, with these variables and those that it needs in its
// environment, and awaits its prompt, which is "prompt> ". Without tmux the test is skipped.
func StartPane(t *testing.T, cols, rows int, env ...string) *Pane {
	t.Helper()
	Need(t, "tmux")
	p := &Pane{filepath.Join(t.TempDir(), "tmux")}
	args := []string{"-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows), "env", "-i"}
	args = append(append(args, env...), "PATH="+os.Getenv("PATH"), "PS1=prompt> ", "TERM=screen", "sh", "-i")
	p.Tmux(t, args...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the pane shows:\n%s", p.Shown(t))
		}
		p.Tmux(t, "kill-server")
	})
	p.Await(t, "prompt>")
	return p
}

// Tmux runs a command of tmux's and returns what it says.
func (p *Pane) Tmux(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("tmux", append([]string{"-S", p.socket}, args...)...)
	cmd.Env = append(os.Environ(), "TMUX=", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// Keys types: text, or the names that tmux has for keys.
func (p *Pane) Keys(t *testing.T, keys ...string) {
	t.Helper()
	p.Tmux(t, append([]string{"send-keys"}, keys...)...)
}

// Command types a line for the shell, once no other program has the terminal: a program that ends may drop what was
// typed before.
func (p *Pane) Command(t *testing.T, line string) {
	t.Helper()
	if !Within(patience, func() bool { return p.isShellInForeground(t) }) {
		t.Fatalf("waited in vain for the shell, to run %s", line)
	}
	p.Keys(t, line, "Enter")
}

// isShellInForeground compares the shell with the terminal's foreground process group (the field tpgid of proc(5)).
func (p *Pane) isShellInForeground(t *testing.T) bool {
	t.Helper()
	shell := strings.TrimSpace(p.Tmux(t, "display-message", "-p", "#{pane_pid}"))
	stat, err := os.ReadFile(filepath.Join("/proc", shell, "stat"))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	return fields[5] == shell
}

// Resize changes the pane's size.
func (p *Pane) Resize(t *testing.T, cols, rows int) {
	t.Helper()
	p.Tmux(t, "resize-window", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows))
}

// Shown returns the text that the pane shows.
func (p *Pane) Shown(t *testing.T) string {
	t.Helper()
	return p.Tmux(t, "capture-pane", "-p")
}

// ShownInColour returns the text with the sequences for its colours.
func (p *Pane) ShownInColour(t *testing.T) string {
	t.Helper()
	return p.Tmux(t, "capture-pane", "-p", "-e")
}

// Await waits until the pane shows a text.
func (p *Pane) Await(t *testing.T, text string) {
	t.Helper()
	p.AwaitThat(t, "the pane to show "+text, func(shown string) bool { return strings.Contains(shown, text) })
}

// AwaitThat waits until what the pane shows is as it should be.
func (p *Pane) AwaitThat(t *testing.T, what string, isSo func(shown string) bool) {
	t.Helper()
	if !Within(patience, func() bool { return isSo(p.Shown(t)) }) {
		t.Fatalf("waited in vain for %s", what)
	}
}
