package child_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What these keys send.
const (
	ctrlC         = "\x03"
	ctrlZ         = "\x1a"
	ctrlBackslash = "\x1c"
)

// A child that has the terminal to itself, as a job of an interactive shell.
func TestTerminal(t *testing.T) {
	c := startShell(t, "sh")
	c.write(t, "$wrap $self\n")
	pid, err := strconv.Atoi(c.await(t, `ready (\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "hello\n")
	c.await(t, "<line hello>")
	c.write(t, ctrlC)
	c.await(t, "<SIGINT>")
	c.write(t, ctrlBackslash)
	c.await(t, "<SIGQUIT>")
	c.resize(t, 93, 31)
	c.await(t, "<SIGWINCH> 93x31")

	const stops = 10
	for range stops {
		c.write(t, ctrlZ)
		c.await(t, "Stopped")
		c.await(t, "prompt> ")
		if state := processState(t, pid); state != "T" {
			t.Errorf("the child's state is %q, want T", state)
		}
		c.write(t, "echo in the she''ll\n")
		c.await(t, "in the shell")
		c.write(t, "fg\n")
		c.await(t, "<SIGCONT>")
		c.write(t, "again\n")
		c.await(t, "<line again>")
	}
	c.write(t, ctrlC)
	c.await(t, "<SIGINT>")
	c.write(t, "quit\n")
	c.await(t, "prompt> ")
	c.write(t, "echo code=$?\n")
	c.await(t, "code=7")
	for said, want := range map[string]int{"<SIGINT>": 2, "<SIGQUIT>": 1, "<SIGCONT>": stops, "<SIGWINCH>": 1} {
		if got := c.count(said); got != want {
			t.Errorf("the child said %s %d times, want %d", said, got, want)
		}
	}
}

// A job in the background may run, is stopped when it reads, and goes on in the foreground.
func TestBackground(t *testing.T) {
	c := startShell(t, "sh")
	c.write(t, "$wrap $self &\n")
	pid, err := strconv.Atoi(c.await(t, `ready (\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the shell to see it stopped", func() bool {
		c.write(t, "jobs\n")
		return c.count("Stopped") > 0
	})
	if state := processState(t, pid); state != "T" {
		t.Errorf("the child's state is %q, want T", state)
	}
	c.write(t, "fg\n")
	c.await(t, "<SIGCONT>")
	c.write(t, "hello\n")
	c.await(t, "<line hello>")
	c.write(t, ctrlC)
	c.await(t, "<SIGINT>")
	c.write(t, "quit\n")
	c.await(t, "prompt> ")
	for said, want := range map[string]int{"<SIGINT>": 1, "<SIGCONT>": 1} {
		if got := c.count(said); got != want {
			t.Errorf("the child said %s %d times, want %d", said, got, want)
		}
	}
}

// In a pipeline the terminal is the pager's, and ^C and ^Z reach the child through us.
func TestPipeline(t *testing.T) {
	c := startShell(t, "sh")
	errors := filepath.Join(t.TempDir(), "err")
	c.write(t, "$wrap $self /dev/null 2>"+errors+" | $report /dev/tty\n")
	c.await(t, "ready ") // the pager
	c.write(t, "hello\n")
	c.await(t, "<line hello>")
	c.write(t, "quit\n")
	c.await(t, "prompt> ")

	// Here the child asks for it, though we were started to ignore what asks, as tmux starts its commands.
	c.write(t, "sleep 100 | (trap '' TTIN TTOU; exec $wrap $self /dev/tty) | cat\n")
	pid, err := strconv.Atoi(c.await(t, `ready (\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "hello\n")
	c.await(t, "<line hello>")
	c.write(t, ctrlZ)
	c.await(t, "Stopped")
	c.write(t, "fg\n")
	c.await(t, "<SIGCONT>")
	prompts := c.count("prompt> ")
	c.write(t, "quit\n")
	eventually(t, "the child to be gone", func() bool { return processState(t, pid) == "" })
	eventually(t, "the terminal to be ours again", func() bool {
		c.write(t, ctrlC) // for sleep, which is still there
		return c.count("prompt> ") > prompts
	})
}

// A child in a pipeline that never asks for the terminal gets its signals too.
func TestPipelineSignals(t *testing.T) {
	c := startShell(t, "sh")
	fifo := filepath.Join(t.TempDir(), "lines")
	c.write(t, "mkfifo "+fifo+"\n")
	c.await(t, "prompt> ")
	c.write(t, "$wrap $self "+fifo+" | cat\n")
	lines, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	c.await(t, "ready ")
	c.resize(t, 70, 20)
	c.await(t, "<SIGWINCH>")
	c.write(t, ctrlZ)
	c.await(t, "Stopped")
	c.write(t, "fg\n")
	c.await(t, "<SIGCONT>")
	if _, err := lines.WriteString("quit\n"); err != nil {
		t.Fatal(err)
	}
	c.await(t, "prompt> ")
	for said, want := range map[string]int{"<SIGWINCH>": 1, "<SIGCONT>": 1} {
		if got := c.count(said); got != want {
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
		{"sh, a script", "sh", "sh " + script, ctrlC, "130"},
		{"bash, a script", "bash", "bash " + script, ctrlC, "130"},
		{"bash, a loop", "bash", loop, ctrlC, "130"},
		{"bash, a loop and a pipeline", "bash", strings.Replace(loop, "; done", " | cat; done", 1), ctrlC, "130"},
		{"bash, a command that is quit", "bash", "$wrap sh -c 'echo run''ning; exec sleep 100'", ctrlBackslash, "131"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := exec.LookPath(test.shell); err != nil {
				missing(t, "there is no %s: %v", test.shell, err)
			}
			c := startShell(t, test.shell)
			c.write(t, "export wrap\n")
			c.await(t, "prompt> ")
			c.write(t, test.line+"\n")
			c.await(t, "\nrunning")
			c.write(t, test.key)
			c.await(t, "prompt> ")
			c.write(t, "echo code=$?\n")
			c.await(t, "code="+test.code)
			if c.count("start 2")+c.count("finished") > 0 {
				t.Error("it has gone on")
			}
			if c.count("goroutine")+c.count("core dumped") > 0 {
				t.Error("there are stacks, or a core")
			}
		})
	}
}

// Without a shell there is nobody to continue us, so ^Z does nothing, as it does to a program without us.
func TestNobodyToContinue(t *testing.T) {
	c := startOnConsole(t, wrapped(t, self(t)))
	c.await(t, "ready ")
	c.write(t, ctrlZ)
	c.await(t, "<SIGCONT>")
	c.write(t, "hello\n")
	c.await(t, "<line hello>")
	c.write(t, ctrlC)
	c.await(t, "<SIGINT>")
	c.write(t, "quit\n")
	_ = c.cmd.Wait()
	if code := c.cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("the exit code is %d, want 7", code)
	}
}
