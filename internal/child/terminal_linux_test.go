package child_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/ptytest"
)

// startShell starts an interactive sh or bash whose variable $wrap is the test binary as shsession
// share and $self the binary.
func startShell(t *testing.T, shell string) *ptytest.Console {
	t.Helper()
	return ptytest.Shell(t, shell, "self="+self(t), "wrap=env "+roleVariable+"=wrap "+self(t), "report=env "+roleVariable+"=report "+self(t))
}

// A child that has the terminal to itself, as a job of an interactive shell.
func TestTerminal(t *testing.T) {
	c := startShell(t, "sh")
	c.Write(t, "$wrap $self\n")
	pid, err := strconv.Atoi(c.Await(t, `ready (\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	c.Write(t, "hello\n")
	c.Await(t, "<line hello>")
	c.Write(t, ptytest.CtrlC)
	c.Await(t, "<SIGINT>")
	c.Write(t, ptytest.CtrlBackslash)
	c.Await(t, "<SIGQUIT>")
	c.Resize(t, 93, 31)
	c.Await(t, "<SIGWINCH> 93x31")

	const stops = 10
	for range stops {
		c.Write(t, ptytest.CtrlZ)
		c.Await(t, "Stopped")
		c.Await(t, "prompt> ")
		if state := processState(t, pid); state != "T" {
			t.Errorf("the child's state is %q, want T", state)
		}
		c.Write(t, "echo in the she''ll\n")
		c.Await(t, "in the shell")
		c.Write(t, "fg\n")
		c.Await(t, "<SIGCONT>")
		c.Write(t, "again\n")
		c.Await(t, "<line again>")
	}
	c.Write(t, ptytest.CtrlC)
	c.Await(t, "<SIGINT>")
	c.Write(t, "quit\n")
	c.Await(t, "prompt> ")
	c.Write(t, "echo code=$?\n")
	c.Await(t, "code=7")
	for said, want := range map[string]int{"<SIGINT>": 2, "<SIGQUIT>": 1, "<SIGCONT>": stops, "<SIGWINCH>": 1} {
		if got := c.Count(said); got != want {
			t.Errorf("the child said %s %d times, want %d", said, got, want)
		}
	}
}

// A job in the background may run, is stopped when it reads, and goes on in the foreground.
func TestBackground(t *testing.T) {
	c := startShell(t, "sh")
	c.Write(t, "$wrap $self &\n")
	pid, err := strconv.Atoi(c.Await(t, `ready (\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shell to see it stopped", func() bool {
		c.Write(t, "jobs\n")
		return c.Count("Stopped") > 0
	})
	if state := processState(t, pid); state != "T" {
		t.Errorf("the child's state is %q, want T", state)
	}
	c.Write(t, "fg\n")
	c.Await(t, "<SIGCONT>")
	c.Write(t, "hello\n")
	c.Await(t, "<line hello>")
	c.Write(t, ptytest.CtrlC)
	c.Await(t, "<SIGINT>")
	c.Write(t, "quit\n")
	c.Await(t, "prompt> ")
	for said, want := range map[string]int{"<SIGINT>": 1, "<SIGCONT>": 1} {
		if got := c.Count(said); got != want {
			t.Errorf("the child said %s %d times, want %d", said, got, want)
		}
	}
}

// In a pipeline the terminal is the pager's, and ^C and ^Z reach the child through us.
func TestPipeline(t *testing.T) {
	c := startShell(t, "sh")
	errors := filepath.Join(t.TempDir(), "err")
	c.Write(t, "$wrap $self /dev/null 2>"+errors+" | $report /dev/tty\n")
	c.Await(t, "ready ") // the pager
	c.Write(t, "hello\n")
	c.Await(t, "<line hello>")
	c.Write(t, "quit\n")
	c.Await(t, "prompt> ")

	// Here the child asks for it, though we were started to ignore what asks, as tmux starts its commands.
	c.Write(t, "sleep 100 | (trap '' TTIN TTOU; exec $wrap $self /dev/tty) | cat\n")
	pid, err := strconv.Atoi(c.Await(t, `ready (\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	c.Write(t, "hello\n")
	c.Await(t, "<line hello>")
	c.Write(t, ptytest.CtrlZ)
	c.Await(t, "Stopped")
	c.Write(t, "fg\n")
	c.Await(t, "<SIGCONT>")
	prompts := c.Count("prompt> ")
	c.Write(t, "quit\n")
	eventually(t, "the child to be gone", func() bool { return processState(t, pid) == "" })
	eventually(t, "the terminal to be ours again", func() bool {
		c.Write(t, ptytest.CtrlC) // for sleep, which is still there
		return c.Count("prompt> ") > prompts
	})
}

// A child in a pipeline that never asks for the terminal gets its signals too.
func TestPipelineSignals(t *testing.T) {
	c := startShell(t, "sh")
	fifo := filepath.Join(t.TempDir(), "lines")
	c.Write(t, "mkfifo "+fifo+"\n")
	c.Await(t, "prompt> ")
	c.Write(t, "$wrap $self "+fifo+" | cat\n")
	lines, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	c.Await(t, "ready ")
	c.Resize(t, 70, 20)
	c.Await(t, "<SIGWINCH>")
	c.Write(t, ptytest.CtrlZ)
	c.Await(t, "Stopped")
	c.Write(t, "fg\n")
	c.Await(t, "<SIGCONT>")
	if _, err := lines.WriteString("quit\n"); err != nil {
		t.Fatal(err)
	}
	c.Await(t, "prompt> ")
	for said, want := range map[string]int{"<SIGWINCH>": 1, "<SIGCONT>": 1} {
		if got := c.Count(said); got != want {
			t.Errorf("the child said %s %d times, want %d", said, got, want)
		}
	}
}

// ^C ends a script and not just the command that it is at, and a shell's loop, as it does without us. It is
// told that a key did it.
func TestInterruptedLoop(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	loop := "for i in 1 2 3; do echo start $i; $wrap sh -c 'echo run''ning; exec sleep 100'; done; echo fin''ished"
	if err := os.WriteFile(script, []byte(loop+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, shell, line, key, code string }{
		{"sh, a script", "sh", "sh " + script, ptytest.CtrlC, "130"},
		{"bash, a script", "bash", "bash " + script, ptytest.CtrlC, "130"},
		{"bash, a loop", "bash", loop, ptytest.CtrlC, "130"},
		{"bash, a loop and a pipeline", "bash", strings.Replace(loop, "; done", " | cat; done", 1), ptytest.CtrlC, "130"},
		{"bash, a command that is quit", "bash", "$wrap sh -c 'echo run''ning; exec sleep 100'", ptytest.CtrlBackslash, "131"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := startShell(t, test.shell)
			c.Write(t, "export wrap\n")
			c.Await(t, "prompt> ")
			c.Write(t, test.line+"\n")
			c.Await(t, "\nrunning")
			c.Write(t, test.key)
			c.Await(t, "prompt> ")
			c.Write(t, "echo code=$?\n")
			c.Await(t, "code="+test.code)
			if c.Count("start 2")+c.Count("finished") > 0 {
				t.Error("it has gone on")
			}
			if c.Count("goroutine")+c.Count("core dumped") > 0 {
				t.Error("there are stacks, or a core")
			}
		})
	}
}

// Without a shell there is nobody to continue us, so ^Z does nothing, as it does to a program without us.
func TestNobodyToContinue(t *testing.T) {
	c := ptytest.Start(t, wrapped(t, self(t)))
	c.Await(t, "ready ")
	c.Write(t, ptytest.CtrlZ)
	c.Await(t, "<SIGCONT>")
	c.Write(t, "hello\n")
	c.Await(t, "<line hello>")
	c.Write(t, ptytest.CtrlC)
	c.Await(t, "<SIGINT>")
	c.Write(t, "quit\n")
	_ = c.Cmd.Wait()
	if code := c.Cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("the exit code is %d, want 7", code)
	}
}
