package child_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// startShell starts an interactive sh or bash whose variable $wrap is the test binary as shsession
// share, $self the binary, and $report the binary as a child that reports.
func startShell(t *testing.T, shell string) *testkit.Console {
	t.Helper()
	return testkit.Shell(t, shell, "self="+self(t), "wrap=env "+roleVariable+"=wrap "+self(t), "report=env "+roleVariable+"=report "+self(t))
}

// startJob starts a job of the shell's that reports, and returns the child's PID.
func startJob(t *testing.T, c *testkit.Console, line string) (pid int) {
	t.Helper()
	pid, err := strconv.Atoi(c.Type(t, line+"\n", `ready (\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// wantState checks the letter of a process's state.
func wantState(t *testing.T, pid int, want string) {
	t.Helper()
	if state := processState(t, pid); state != want {
		t.Errorf("the child's state is %q, want %s", state, want)
	}
}

// wantSaid checks how often the child has said what.
func wantSaid(t *testing.T, c *testkit.Console, times map[string]int) {
	t.Helper()
	for said, want := range times {
		if got := c.Count(said); got != want {
			t.Errorf("the child said %s %d times, want %d", said, got, want)
		}
	}
}

// A child that has the terminal to itself, as a job of an interactive shell.
func TestTerminal(t *testing.T) {
	c := startShell(t, "sh")
	pid := startJob(t, c, "$wrap $self")
	c.Type(t, "hello\n", "<line hello>")
	c.Type(t, testkit.CtrlC, "<SIGINT>")
	c.Type(t, testkit.CtrlBackslash, "<SIGQUIT>")
	c.Resize(t, 93, 31)
	c.Await(t, "<SIGWINCH> 93x31")

	const stops = 10
	for range stops {
		c.Type(t, testkit.CtrlZ, "Stopped")
		c.Await(t, "prompt> ")
		wantState(t, pid, "T")
		c.Type(t, "echo in the she''ll\n", "in the shell")
		c.Type(t, "fg\n", "<SIGCONT>")
		c.Type(t, "again\n", "<line again>")
	}
	c.Type(t, testkit.CtrlC, "<SIGINT>")
	c.Type(t, "quit\n", "prompt> ")
	c.Type(t, "echo code=$?\n", "code=7")
	wantSaid(t, c, map[string]int{"<SIGINT>": 2, "<SIGQUIT>": 1, "<SIGCONT>": stops, "<SIGWINCH>": 1})
}

// A job in the background may run, is stopped when it reads, and goes on in the foreground.
func TestBackground(t *testing.T) {
	c := startShell(t, "sh")
	pid := startJob(t, c, "$wrap $self &")
	testkit.Eventually(t, "the shell to see it stopped", func() bool {
		c.Write(t, "jobs\n")
		return c.Count("Stopped") > 0
	})
	wantState(t, pid, "T")
	c.Type(t, "fg\n", "<SIGCONT>")
	c.Type(t, "hello\n", "<line hello>")
	c.Type(t, testkit.CtrlC, "<SIGINT>")
	c.Type(t, "quit\n", "prompt> ")
	wantSaid(t, c, map[string]int{"<SIGINT>": 1, "<SIGCONT>": 1})
}

// In a pipeline the terminal is the pager's, and ^C and ^Z reach the child through us.
func TestPipeline(t *testing.T) {
	c := startShell(t, "sh")
	errors := filepath.Join(t.TempDir(), "err")
	startJob(t, c, "$wrap $self /dev/null 2>"+errors+" | $report /dev/tty") // the pager is ready
	c.Type(t, "hello\n", "<line hello>")
	c.Type(t, "quit\n", "prompt> ")

	// Here the child asks for it, though we were started to ignore what asks, as tmux starts its commands.
	pid := startJob(t, c, "sleep 100 | (trap '' TTIN TTOU; exec $wrap $self /dev/tty) | cat")
	c.Type(t, "hello\n", "<line hello>")
	c.Type(t, testkit.CtrlZ, "Stopped")
	c.Type(t, "fg\n", "<SIGCONT>")
	prompts := c.Count("prompt> ")
	c.Write(t, "quit\n")
	testkit.Eventually(t, "the child to be gone", func() bool { return processState(t, pid) == "" })
	testkit.Eventually(t, "the terminal to be ours again", func() bool {
		c.Write(t, testkit.CtrlC) // for sleep, which is still there
		return c.Count("prompt> ") > prompts
	})
}

// A child in a pipeline that never asks for the terminal gets its signals too.
func TestPipelineSignals(t *testing.T) {
	c := startShell(t, "sh")
	fifo := filepath.Join(t.TempDir(), "lines")
	c.Type(t, "mkfifo "+fifo+"\n", "prompt> ")
	c.Write(t, "$wrap $self "+fifo+" | cat\n")
	lines, err := os.OpenFile(fifo, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer lines.Close()
	c.Await(t, "ready ")
	c.Resize(t, 70, 20)
	c.Await(t, "<SIGWINCH>")
	c.Type(t, testkit.CtrlZ, "Stopped")
	c.Type(t, "fg\n", "<SIGCONT>")
	if _, err := lines.WriteString("quit\n"); err != nil {
		t.Fatal(err)
	}
	c.Await(t, "prompt> ")
	wantSaid(t, c, map[string]int{"<SIGWINCH>": 1, "<SIGCONT>": 1})
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
		{"sh, a script", "sh", "sh " + script, testkit.CtrlC, "130"},
		{"bash, a script", "bash", "bash " + script, testkit.CtrlC, "130"},
		{"bash, a loop", "bash", loop, testkit.CtrlC, "130"},
		{"bash, a loop and a pipeline", "bash", strings.Replace(loop, "; done", " | cat; done", 1), testkit.CtrlC, "130"},
		{"bash, a command that is quit", "bash", "$wrap sh -c 'echo run''ning; exec sleep 100'", testkit.CtrlBackslash, "131"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := startShell(t, test.shell)
			c.Type(t, "export wrap\n", "prompt> ")
			c.Type(t, test.line+"\n", "\nrunning")
			c.Type(t, test.key, "prompt> ")
			c.Type(t, "echo code=$?\n", "code="+test.code)
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
	c := testkit.StartConsole(t, wrapped(t, self(t)))
	c.Await(t, "ready ")
	c.Type(t, testkit.CtrlZ, "<SIGCONT>")
	c.Type(t, "hello\n", "<line hello>")
	c.Type(t, testkit.CtrlC, "<SIGINT>")
	c.Write(t, "quit\n")
	_ = c.Cmd.Wait()
	if code := c.Cmd.ProcessState.ExitCode(); code != 7 {
		t.Errorf("the exit code is %d, want 7", code)
	}
}
