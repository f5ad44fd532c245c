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

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/testkit"
)

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// At a terminal the secret is asked for without echo.
func TestPrompt(t *testing.T) {
	t.Parallel()
	user, terminal := testkit.OpenTerminal(t)
	config := filepath.Join(t.TempDir(), "config.toml")
	p := command(t, nil, "--config", config, "profile", "set", "x", "--client-id", "y")
	p.Stdin = terminal
	p.start(t)
	testkit.Eventually(t, "no echo", func() bool { return !echoes(t, terminal) })
	testkit.Eventually(t, "a prompt", func() bool { return strings.HasPrefix(p.err.String(), "Client secret") })
	fmt.Fprintln(user, scriptSecret)
	if got := p.exit(t); got != 0 {
		t.Errorf("exit code %d: %s", got, p.err.String())
	}
	if !echoes(t, terminal) {
		t.Error("the terminal is left without echo")
	}
	fmt.Fprintln(terminal, "end")
	if shown := readUntil(t, user, "end"); strings.Contains(shown, scriptSecret) {
		t.Errorf("the terminal shows %q", shown)
	}
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(text), scriptSecret) {
		t.Errorf("%v, config.toml: %s", err, text)
	}
}

// An interrupt at the prompt leaves the terminal as it was.
func TestPromptInterrupted(t *testing.T) {
	t.Parallel()
	_, terminal := testkit.OpenTerminal(t)
	p := command(t, nil, "profile", "set", "x", "--client-id", "y")
	p.Stdin = terminal
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // or a signal would end it, if this test has a terminal
	p.start(t)
	testkit.Eventually(t, "no echo", func() bool { return !echoes(t, terminal) })
	p.Process.Signal(os.Interrupt)
	if got := p.exit(t); got != 130 {
		t.Errorf("exit code %d, want 130: %s", got, p.err.String())
	}
	if !echoes(t, terminal) {
		t.Error("the terminal is left without echo")
	}
}

// A question is a command that asks for a secret, at a shell's prompt, and the file that it would write.
type question struct {
	line   string
	config string
}

func newQuestion(t *testing.T) question {
	config := filepath.Join(t.TempDir(), "config.toml")
	return question{"shsession --config " + config + " profile set x --client-id y", config}
}

// isUnanswered checks that nothing was written.
func (q question) isUnanswered(t *testing.T) {
	t.Helper()
	if text, err := os.ReadFile(q.config); err == nil {
		t.Errorf("config.toml: %s", text)
	}
}

const secretQuestion = "Client secret \\(not shown\\): "

// A shell that doesn't look after the terminal's settings, and one that does.
func eachShell(t *testing.T, test func(t *testing.T, c *testkit.Console, q question)) {
	for _, shell := range []string{"sh", "bash"} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			c := testkit.Shell(t, shell, isolated(t.TempDir())...)
			test(t, c, newQuestion(t))
			if n := c.Count(scriptSecret); n > 0 {
				t.Errorf("the terminal shows the secret %d times", n)
			}
			// The shell shows what is typed again: the line, and what it has printed.
			c.Type(t, "echo e''nd\r", "echo e''nd\\s+end\\s+prompt> ")
		})
	}
}

// ^D on an empty line ends the question without an answer, and what is typed next is the shell's.
func TestPromptEndOfInput(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, c *testkit.Console, q question) {
		c.Type(t, q.line+"\r", secretQuestion)
		c.Type(t, testkit.CtrlD, "cancelled: nothing is written\\s+prompt> ")
		c.Type(t, "echo code=$?\r", "code=1\\s+prompt> ")
		q.isUnanswered(t)
	})
}

// After something typed ^D ends nothing.
func TestPromptEndOfInputInTheLine(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, c *testkit.Console, q question) {
		c.Type(t, q.line+"\r", secretQuestion)
		c.Write(t, scriptSecret[:5]+testkit.CtrlD)
		c.Type(t, scriptSecret[5:]+"\r", "is written to")
		c.Await(t, "prompt> ")
		q.isAnswered(t)
	})
}

func (q question) isAnswered(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(q.config)
	if err != nil || !strings.Contains(string(text), `"`+scriptSecret+`"`) {
		t.Errorf("%v, config.toml: %s", err, text)
	}
}

// ^C and ^\ end the command by their signals, and give the terminal back.
func TestPromptKeysThatEnd(t *testing.T) {
	t.Parallel()
	for key, code := range map[string]string{testkit.CtrlC: "130", testkit.CtrlBackslash: "131"} {
		eachShell(t, func(t *testing.T, c *testkit.Console, q question) {
			c.Type(t, q.line+"\r", secretQuestion)
			c.Write(t, scriptSecret)
			c.Type(t, key, "prompt> ")
			c.Type(t, "echo code=$?\r", "code="+code+"\\s+prompt> ")
			q.isUnanswered(t)
		})
	}
}

// ^Z gives the terminal to the shell as it was. After fg the secret is hidden again, before the question
// shows, and what was typed before ^Z is no part of it.
func TestPromptStopped(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, c *testkit.Console, q question) {
		c.Type(t, q.line+"\r", secretQuestion)
		for range 3 {
			c.Write(t, scriptSecret)
			c.Type(t, testkit.CtrlZ, "Stopped[^>]*prompt> ")
			c.Type(t, "echo she''ll\r", "echo she''ll\\s+shell\\s+prompt> ")
			c.Type(t, "fg\r", secretQuestion)
		}
		c.Type(t, scriptSecret+"\r", "is written to")
		c.Await(t, "prompt> ")
		q.isAnswered(t)
	})
}

// A stop that no program can catch is no different: what is typed after it isn't shown.
func TestPromptStoppedByForce(t *testing.T) {
	t.Parallel()
	eachShell(t, func(t *testing.T, c *testkit.Console, q question) {
		c.Type(t, q.line+"\r", secretQuestion)
		pids := children(c.Cmd.Process.Pid)
		if len(pids) != 1 {
			t.Fatalf("the shell's children are %v", pids)
		}
		if err := syscall.Kill(pids[0], syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		c.Await(t, "Stopped[^>]*prompt> ")
		c.Type(t, "fg\r", secretQuestion)
		c.Type(t, scriptSecret+"\r", "is written to")
		c.Await(t, "prompt> ")
		q.isAnswered(t)
	})
}

// Where nobody could let a process go on, ^Z stops nothing, and the secret stays hidden.
func TestPromptOfASessionLeader(t *testing.T) {
	t.Parallel()
	q := newQuestion(t)
	cmd := command(t, nil, strings.Fields(q.line)[1:]...).Cmd
	c := testkit.StartConsole(t, cmd)
	c.Await(t, secretQuestion)
	c.Type(t, testkit.CtrlZ, secretQuestion)
	c.Type(t, scriptSecret+"\r", "is written to")
	q.isAnswered(t)
	if c.Count(scriptSecret) > 0 {
		t.Error("the terminal shows the secret")
	}
}

// With its terminal the question ends, whatever was typed.
func TestPromptWithoutItsTerminal(t *testing.T) {
	t.Parallel()
	for name, prefix := range map[string]string{"killed": "", "nohup": "trap '' HUP; exec "} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newQuestion(t)
			cmd := exec.Command("sh", "-c", prefix+q.line)
			cmd.Env = append([]string{"PATH=" + os.Getenv("PATH")}, isolated(t.TempDir())...)
			c := testkit.StartConsole(t, cmd)
			c.Await(t, secretQuestion)
			c.Write(t, scriptSecret)
			c.HangUp()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				cmd.Process.Wait()
			}()
			testkit.Eventually(t, "the end", func() bool {
				select {
				case <-ended:
					return true
				default:
					return false
				}
			})
			q.isUnanswered(t)
		})
	}
}

// In tmux, as a user sees it: ^D, ^C, ^Z and fg, and a pane that is closed.
func TestPromptInTmux(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "tmux")
	q := newQuestion(t)
	p := testkit.StartPane(t, 120, 24, append(isolated(t.TempDir()), "ask="+q.line)...)
	asked := func(command string) {
		p.Command(t, command)
		p.AwaitThat(t, "the question", func(shown string) bool {
			return !strings.Contains(shown, "prompt>") && strings.HasSuffix(strings.TrimSpace(shown), "Client secret (not shown):")
		})
	}
	ask := func() { asked("clear; $ask") }
	for key, code := range map[string]string{"C-d": "1", "C-c": "130"} {
		ask()
		p.Keys(t, key)
		p.Await(t, "prompt>")
		p.Command(t, "echo code=$?")
		p.Await(t, "echo code=$?\ncode="+code) // the terminal shows what is typed again
	}
	ask()
	p.Keys(t, scriptSecret, "C-z")
	p.Await(t, "Stopped")
	asked("clear; fg") // what was shown before is no question
	q.isUnanswered(t)
	p.Keys(t, scriptSecret, "Enter")
	p.Await(t, "is written to")
	q.isAnswered(t)
	if shown := p.Tmux(t, "capture-pane", "-p", "-S", "-"); strings.Contains(shown, scriptSecret) {
		t.Errorf("the pane shows the secret: %s", shown)
	}

	if err := os.Remove(q.config); err != nil {
		t.Fatal(err)
	}
	ask()
	p.Keys(t, scriptSecret)
	shell, err := strconv.Atoi(strings.TrimSpace(p.Tmux(t, "display-message", "-p", "#{pane_pid}")))
	if err != nil {
		t.Fatal(err)
	}
	asking := children(shell)
	if len(asking) != 1 {
		t.Fatalf("the shell's children are %v", asking)
	}
	p.Tmux(t, "split-window", "-d", "sh") // or the server would end with its last pane
	p.Tmux(t, "kill-pane", "-t", "{top}")
	testkit.Eventually(t, "the end of the question", func() bool { return syscall.Kill(asking[0], 0) != nil })
	q.isUnanswered(t)
}
