package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/shsession/shsession/internal/ptytest"
)

// shAt starts an interactive sh with these variables in a pane.
func shAt(t *testing.T, env ...string) *ptytest.Pane {
	t.Helper()
	return ptytest.StartPane(t, 80, 12, append(isolated(t.TempDir()), env...)...)
}

// The picture fills the terminal, follows its size, and goes when the command stops or ends.
func TestStatusScreen(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	name := unique()
	sharer := command(t, env, "share", "--name", name)
	sharer.start(t)
	eventually(t, "a shared token", func() bool { return strings.Contains(sharer.out.String(), "sharing") })
	p := shAt(t, append(env, "NAME="+name)...)
	isDrawn := func(shown string) bool { return strings.Contains(shown, "q quits") && strings.Contains(shown, "█") }
	barLength := func(shown string) int { return strings.Count(shown, "█") }
	isBack := func(shown string) bool { return strings.Contains(shown, "in the shell") && !isDrawn(shown) }

	p.Keys(t, "clear; echo in the she''ll; shsession status -w $NAME", "Enter")
	p.AwaitThat(t, "a picture", isDrawn)
	if shown := p.ShownInColour(t); strings.Contains(shown, "in the shell") || !strings.Contains(shown, "\x1b[32m") {
		t.Error("the picture isn't alone on the screen, or has no colours")
	}
	narrow := barLength(p.Shown(t))
	p.Resize(t, 140, 20)
	p.AwaitThat(t, "a longer bar", func(shown string) bool { return barLength(shown) > narrow+40 })

	p.Keys(t, "C-z")
	p.AwaitThat(t, "the shell's screen", func(shown string) bool { return strings.Contains(shown, "Stopped") && !isDrawn(shown) })
	p.Keys(t, "fg", "Enter")
	p.AwaitThat(t, "the picture again", isDrawn)
	p.Keys(t, "C-c")
	p.AwaitThat(t, "the shell's screen", isBack)
	isAsBefore(t, p, "ended=0")

	// Other keys do nothing, and aren't the shell's afterwards.
	for i, end := range []func(){
		func() { p.Keys(t, "q") },
		func() { p.Keys(t, "C-\\") },
		func() { signalCommand(t, name, syscall.SIGTERM) },
		func() { signalCommand(t, name, syscall.SIGHUP) },
	} {
		p.Keys(t, "clear; echo in the she''ll; shsession status -w $NAME", "Enter")
		p.AwaitThat(t, "a picture", isDrawn)
		p.Keys(t, "Enter", "Enter", "x", "Up", "Enter")
		p.Resize(t, 100, 20) // after which it's drawn anew
		p.Resize(t, 140, 20)
		p.AwaitThat(t, "a picture", isDrawn)
		if shown := p.Shown(t); !strings.Contains(strings.SplitN(shown, "\n", 2)[0], "next renewal") {
			t.Errorf("the keys have moved the picture:\n%s", shown)
		}
		end()
		p.AwaitThat(t, "the shell's screen", isBack)
		isAsBefore(t, p, fmt.Sprintf("again%d=0", i))
	}
}

// isAsBefore has the shell say how the command ended, and looks at the state of the terminal.
func isAsBefore(t *testing.T, p *ptytest.Pane, want string) {
	t.Helper()
	name, _, _ := strings.Cut(want, "=")
	p.Keys(t, "echo "+name+"=$?; stty -a", "Enter")
	p.AwaitThat(t, "the prompt after "+want, func(shown string) bool { return strings.Contains(shown, " echoke") && strings.Contains(shown, want) })
	if shown := p.Shown(t); !strings.Contains(shown, " echo ") || !strings.Contains(shown, " icanon ") || strings.Contains(shown, "not found") {
		t.Errorf("the terminal doesn't echo, or the shell got keys:\n%s", shown)
	}
	if cursor := p.Tmux(t, "display-message", "-p", "#{cursor_flag} #{wrap_flag} #{alternate_on}"); cursor != "1 1 0\n" {
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
	p := shAt(t, append(env, "NO_COLOR=1")...)
	p.Keys(t, "shsession status --watch "+unique(), "Enter")
	p.Await(t, "Nothing is shared.")
	if shown := p.ShownInColour(t); strings.Contains(shown, "\x1b") || !utf8.ValidString(shown) {
		t.Errorf("the picture has colours: %q", shown)
	}
	p.Keys(t, "C-c")
}
