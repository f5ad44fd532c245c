package testkit

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// What these keys send.
const (
	CtrlC         = "\x03"
	CtrlD         = "\x04"
	CtrlZ         = "\x1a"
	CtrlBackslash = "\x1c"
)

// patience is how long a test waits for what a terminal never shows.
const patience = time.Minute

// A Console is a pseudo-terminal with a session of its own on it.
type Console struct {
	Cmd *exec.Cmd // the session's leader

	master *os.File
	hungUp sync.Once

	mu  sync.Mutex
	out strings.Builder // what the terminal has shown; guarded by mu
	pos int             // up to where it has been looked at
}

// StartConsole starts a command as the leader of a session that a new terminal controls. It is killed at
// the end of the test at the latest.
func StartConsole(t *testing.T, cmd *exec.Cmd) *Console {
	t.Helper()
	master, slave := OpenTerminal(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0, Pdeathsig: syscall.SIGKILL}
	c := &Console{master: master, Cmd: cmd}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.read()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // and with the session's leader the terminal hangs up
		_ = cmd.Wait()
		c.HangUp() // a job that has survived may still have the other side
		<-done
		if t.Failed() {
			t.Logf("the terminal has shown:\n%s", c.out.String())
		}
	})
	return c
}

// Shell starts an interactive sh or bash on a Console, with more variables in its environment, and awaits
// its prompt, which is "prompt> ".
func Shell(t *testing.T, name string, env ...string) *Console {
	t.Helper()
	cmd := exec.Command(Need(t, name), "-i")
	if name == "bash" {
		cmd.Args = []string{name, "--norc", "--noediting", "-i"}
	}
	cmd.Env = append(append(os.Environ(), "PS1=prompt> ", "ENV=", "HISTFILE="), env...)
	c := StartConsole(t, cmd)
	c.Await(t, "prompt> ")
	return c
}

// read keeps what the terminal shows.
func (c *Console) read() {
	buf := make([]byte, 4096)
	for {
		n, err := c.master.Read(buf)
		c.mu.Lock()
		c.out.Write(buf[:n])
		c.mu.Unlock()
		if err != nil { // EIO: nobody has the other side any more
			return
		}
	}
}

// OpenTerminal opens a pseudo-terminal: what a user sits at, and what a program gets. Both are closed at
// the end of the test.
func OpenTerminal(t *testing.T) (user, terminal *os.File) {
	t.Helper()
	blocking, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer blocking.Close()
	// Close doesn't end a Read of the file that package pty opens, since that isn't non-blocking.
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	user = os.NewFile(uintptr(fd), blocking.Name())
	t.Cleanup(func() {
		user.Close()
		terminal.Close()
	})
	return user, terminal
}

// Write types.
func (c *Console) Write(t *testing.T, s string) {
	t.Helper()
	if _, err := c.master.WriteString(s); err != nil {
		t.Fatal(err)
	}
}

// Await waits until the terminal shows something, after what was awaited last, and returns the matches.
func (c *Console) Await(t *testing.T, pattern string) (found []string) {
	t.Helper()
	re := regexp.MustCompile(pattern)
	if !Within(patience, func() bool { found = c.find(re); return found != nil }) {
		t.Fatalf("waited in vain for the terminal to show %s", pattern)
	}
	return found
}

// Type types, and awaits what that has the terminal show. It returns the matches.
func (c *Console) Type(t *testing.T, s, pattern string) []string {
	t.Helper()
	c.Write(t, s)
	return c.Await(t, pattern)
}

func (c *Console) find(re *regexp.Regexp) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := c.out.String()[c.pos:]
	at := re.FindStringSubmatchIndex(rest)
	if at == nil {
		return nil
	}
	c.pos += at[1]
	return re.FindStringSubmatch(rest)
}

// Count returns how often the terminal has shown something.
func (c *Console) Count(s string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Count(c.out.String(), s)
}

// Resize changes the terminal's size.
func (c *Console) Resize(t *testing.T, cols, rows uint16) {
	t.Helper()
	if err := pty.Setsize(c.master, &pty.Winsize{Cols: cols, Rows: rows}); err != nil {
		t.Fatal(err)
	}
}

// HangUp closes the terminal's window, as it were.
func (c *Console) HangUp() { c.hungUp.Do(func() { c.master.Close() }) }
