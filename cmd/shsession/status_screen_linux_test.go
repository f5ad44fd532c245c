package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/shsession/shsession/internal/testkit"
)

// shAt starts an interactive sh with these variables in a pane.
func shAt(t *testing.T, env ...string) *testkit.Pane {
	t.Helper()
	return testkit.StartPane(t, 80, 12, append(append(isolated(t.TempDir()), "LC_ALL=C.UTF-8"), env...)...)
}

// The picture fills the terminal, follows its size, and goes when the command stops or ends.
func TestStatusScreen(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	name := unique()
	startShare(t, env, name)
	p := shAt(t, append(env, "NAME="+name)...)
	isDrawn := func(shown string) bool { return strings.Contains(shown, "q quits") && strings.Contains(shown, "█") }
	barLength := func(shown string) int { return strings.Count(shown, "█") }
	isBack := func(shown string) bool { return strings.Contains(shown, "in the shell") && !isDrawn(shown) }

	p.Command(t, "clear; echo in the she''ll; shsession status -w $NAME")
	p.AwaitThat(t, "a picture", isDrawn)
	if shown := p.ShownInColour(t); strings.Contains(shown, "in the shell") || !strings.Contains(shown, "\x1b[32m") {
		t.Error("the picture isn't alone on the screen, or has no colours")
	}
	narrow := barLength(p.Shown(t))
	p.Resize(t, 140, 20)
	p.AwaitThat(t, "a longer bar", func(shown string) bool { return barLength(shown) > narrow+40 })

	p.Keys(t, "C-z")
	p.AwaitThat(t, "the shell's screen", func(shown string) bool { return strings.Contains(shown, "Stopped") && !isDrawn(shown) })
	p.Command(t, "fg")
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
		p.Command(t, "clear; echo in the she''ll; shsession status -w $NAME")
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
func isAsBefore(t *testing.T, p *testkit.Pane, want string) {
	t.Helper()
	name, _, _ := strings.Cut(want, "=")
	p.Command(t, "echo "+name+"=$?; stty -a")
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
	p.Command(t, "shsession status --watch "+unique())
	p.Await(t, "Nothing is shared.")
	if shown := p.ShownInColour(t); strings.Contains(shown, "\x1b") || !utf8.ValidString(shown) {
		t.Errorf("the picture has colours: %q", shown)
	}
	p.Keys(t, "C-c")
}

// ? shows the keys, and hides them again.
func TestStatusScreenKeys(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	p := shAt(t, env...)
	p.Command(t, "shsession status --watch "+unique())
	p.Await(t, "? shows the keys")
	p.Keys(t, "?")
	p.AwaitThat(t, "the keys", func(shown string) bool {
		return strings.Contains(shown, "goes back to the shell; fg shows this again") && !strings.Contains(shown, "Nothing is shared.")
	})
	p.Keys(t, "?")
	p.AwaitThat(t, "the tokens", func(shown string) bool {
		return !strings.Contains(shown, "goes back to the shell") && strings.Contains(shown, "Nothing is shared.")
	})
	p.Keys(t, "q")
	isAsBefore(t, p, "ended=0")
}

// Without a locale of UTF-8 the picture is one of ASCII.
func TestStatusScreenInASCII(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	name := unique()
	startShare(t, env, name)
	for _, locale := range []string{"LC_ALL=C", "LANG=de_DE.ISO-8859-1", "LC_ALL="} {
		p := testkit.StartPane(t, 80, 12, append(append(isolated(t.TempDir()), env...), locale)...)
		p.Command(t, "shsession status --watch "+name)
		p.Await(t, "#####")
		if shown := p.Shown(t); strings.ContainsFunc(shown, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Errorf("%s: not ASCII:\n%s", locale, shown)
		}
		p.Keys(t, "q")
	}
}

// A terminal without a name gets no control sequences.
func TestNoTerminalName(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	for _, name := range []string{"TERM=", "TERM=dumb"} {
		startShare(t, env, unique())
		c := testkit.Shell(t, "sh", append(append(isolated(t.TempDir()), env...), name)...)
		c.Type(t, "shsession status --watch\r", "shared")
		c.Type(t, testkit.CtrlC, "prompt> ")
		c.Type(t, "timeout 5 shsession demo\r", "the demo|prompt> ")
		if c.Count("\x1b") > 0 {
			t.Errorf("%s: there are control sequences", name)
		}
	}
}

// At a terminal share says each fact once, and whom it shares beside.
func TestShareAtATerminal(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	name := unique()
	first := startShare(t, env, name)
	c := testkit.Shell(t, "sh", append(isolated(t.TempDir()), env...)...)
	c.Type(t, "shsession share --name "+name+"\r",
		fmt.Sprintf("sharing a token of client %s in shm:%s, beside process %d, until ", clientIn(env), name, first.Process.Pid))
	c.Type(t, testkit.CtrlC, "withdrawn[^>]*prompt> ")
	if n := c.Count("client"); n != 1 || c.Count("new token") > 0 {
		t.Errorf("the client is named %d times", n)
	}
}
