package testkit

import (
	"bufio"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// A Child is a process of a test, with pipes to its standard input and output.
type Child struct {
	*exec.Cmd
	In  io.WriteCloser
	Out *bufio.Reader
}

// StartChild starts a command as a Child. It is killed at the end of the test at the latest.
func StartChild(t testing.TB, cmd *exec.Cmd) *Child {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &Child{cmd, in, bufio.NewReader(out)}
	t.Cleanup(c.Kill)
	return c
}

// Line returns the child's next line. If the child has ended, the test fails.
func (c *Child) Line(t testing.TB) string {
	t.Helper()
	line, err := c.Out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v says %q, %v", c.Args, line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// Rest returns what the child says until nobody has the pipe any more.
func (c *Child) Rest(t testing.TB) string {
	t.Helper()
	text, err := io.ReadAll(c.Out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Kill ends the child by SIGKILL, if it runs, and waits for its end.
func (c *Child) Kill() {
	_ = c.Process.Kill() // it may have ended, and been waited for
	_ = c.Wait()
}
