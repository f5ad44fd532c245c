package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/shsession/shsession/internal/needtest"
)

// A pane is the one pane of a tmux server of its own, with an interactive shell.
type pane struct{ socket string }

func startPane(t *testing.T, env []string) *pane {
	t.Helper()
	needtest.Program(t, "tmux")
	p := &pane{filepath.Join(t.TempDir(), "tmux")}
	args := []string{"-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "12", "env", "-i", "PS1=prompt> ", "TERM=screen"}
	p.tmux(t, append(append(append(args, isolated(t.TempDir())...), env...), "PATH="+os.Getenv("PATH"), "sh", "-i")...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the pane shows:\n%s", p.shown(t))
		}
		p.tmux(t, "kill-server")
	})
	p.await(t, "the prompt", func(shown string) bool { return strings.Contains(shown, "prompt>") })
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
	return p.tmux(t, "capture-pane", "-p", "-e")
}

func (p *pane) await(t *testing.T, what string, done func(shown string) bool) {
	t.Helper()
	eventually(t, what, func() bool { return done(p.shown(t)) })
}

// The picture fills the terminal, follows its size, and goes when the command stops or ends.
func TestStatusScreen(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	name := unique()
	sharer := command(t, env, "share", "--name", name)
	sharer.start(t)
	eventually(t, "a shared token", func() bool { return strings.Contains(sharer.out.String(), "sharing") })
	p := startPane(t, append(env, "NAME="+name))
	isDrawn := func(shown string) bool { return strings.Contains(shown, "q quits") && strings.Contains(shown, "█") }
	barLength := func() int { return strings.Count(p.shown(t), "█") }
	isBack := func(shown string) bool { return strings.Contains(shown, "in the shell") && !isDrawn(shown) }

	p.keys(t, "clear; echo in the she''ll; shsession status -w $NAME", "Enter")
	p.await(t, "a picture", isDrawn)
	if shown := p.shown(t); strings.Contains(shown, "in the shell") || !strings.Contains(shown, "\x1b[32m") {
		t.Error("the picture isn't alone on the screen, or has no colours")
	}
	narrow := barLength()
	p.tmux(t, "resize-window", "-x", "140", "-y", "20")
	p.await(t, "a longer bar", func(string) bool { return barLength() > narrow+40 })

	p.keys(t, "C-z")
	p.await(t, "the shell's screen", func(shown string) bool { return strings.Contains(shown, "Stopped") && !isDrawn(shown) })
	p.keys(t, "fg", "Enter")
	p.await(t, "the picture again", isDrawn)
	p.keys(t, "C-c")
	p.await(t, "the shell's screen", isBack)
	p.isAsBefore(t, "ended=0")

	// Other keys do nothing, and aren't the shell's afterwards.
	for i, end := range []func(){
		func() { p.keys(t, "q") },
		func() { p.keys(t, "C-\\") },
		func() { signalCommand(t, name, syscall.SIGTERM) },
		func() { signalCommand(t, name, syscall.SIGHUP) },
	} {
		p.keys(t, "clear; echo in the she''ll; shsession status -w $NAME", "Enter")
		p.await(t, "a picture", isDrawn)
		p.keys(t, "Enter", "Enter", "x", "Up", "Enter")
		p.tmux(t, "resize-window", "-x", "100") // after which it's drawn anew
		p.tmux(t, "resize-window", "-x", "140")
		p.await(t, "a picture", isDrawn)
		if shown := p.shown(t); !strings.Contains(strings.SplitN(shown, "\n", 2)[0], "next renewal") {
			t.Errorf("the keys have moved the picture:\n%s", shown)
		}
		end()
		p.await(t, "the shell's screen", isBack)
		p.isAsBefore(t, fmt.Sprintf("again%d=0", i))
	}
}

// isAsBefore has the shell say how the command ended, and looks at the state of the terminal.
func (p *pane) isAsBefore(t *testing.T, want string) {
	t.Helper()
	name, _, _ := strings.Cut(want, "=")
	p.keys(t, "echo "+name+"=$?; stty -a", "Enter")
	p.await(t, "the prompt after "+want, func(shown string) bool { return strings.Contains(shown, " echoke") && strings.Contains(shown, want) })
	if shown := p.shown(t); !strings.Contains(shown, " echo ") || !strings.Contains(shown, " icanon ") || strings.Contains(shown, "not found") {
		t.Errorf("the terminal doesn't echo, or the shell got keys:\n%s", shown)
	}
	if cursor := p.tmux(t, "display-message", "-p", "#{cursor_flag} #{wrap_flag} #{alternate_on}"); cursor != "1 1 0\n" {
		t.Errorf("the terminal is left with cursor, wrapped lines, alternate screen: %s", cursor)
	}
}

// signalCommand sends a signal to the process that watches a token.
func signalCommand(t *testing.T, name string, s syscall.Signal) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range processes {
		args, err := os.ReadFile(path)
		if err == nil && strings.HasSuffix(string(args), "\x00status\x00-w\x00"+name+"\x00") {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(pid, s); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// NO_COLOR is honoured.
func TestStatusScreenWithoutColours(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	p := startPane(t, append(env, "NO_COLOR=1"))
	p.keys(t, "shsession status --watch "+unique(), "Enter")
	p.await(t, "a picture", func(shown string) bool { return strings.Contains(shown, "Nothing is shared.") })
	if shown := p.shown(t); strings.Contains(shown, "\x1b") || !utf8.ValidString(shown) {
		t.Errorf("the picture has colours: %q", shown)
	}
	p.keys(t, "C-c")
}
