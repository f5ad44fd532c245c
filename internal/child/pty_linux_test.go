package child_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A console is a pseudo-terminal with a session of its own on it.
type console struct {
	master *os.File
	cmd    *exec.Cmd

	mu  sync.Mutex
	out strings.Builder // what the terminal has shown; guarded by mu
	pos int             // up to where it has been looked at
}

// startOnConsole starts a command as the leader of a session that a new terminal controls.
func startOnConsole(t *testing.T, cmd *exec.Cmd) *console {
	t.Helper()
	master, slave := openPTY(t)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0, Pdeathsig: unix.SIGKILL}
	c := &console{master: master, cmd: cmd}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := master.Read(buf)
			c.mu.Lock()
			c.out.Write(buf[:n])
			c.mu.Unlock()
			if err != nil { // EIO: nobody has the other side any more
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // and with the session's leader the terminal hangs up
		_ = cmd.Wait()
		master.Close() // a job that has survived may still have the other side
		<-done
		if t.Failed() {
			t.Logf("the terminal has shown:\n%s", c.out.String())
		}
	})
	return c
}

func openPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return os.NewFile(uintptr(fd), "ptmx"), slave
}

// startShell starts an interactive sh or bash whose variable $wrap is the test binary as shsession
// share and $self the binary.
func startShell(t *testing.T, shell string) *console {
	t.Helper()
	cmd := exec.Command(shell, "-i")
	if shell == "bash" {
		cmd.Args = append(cmd.Args[:1], "--norc", "--noediting", "-i")
	}
	cmd.Env = append(os.Environ(), "PS1=prompt> ", "ENV=", "HISTFILE=", "self="+self(t), "wrap=env "+roleVariable+"=wrap "+self(t), "report=env "+roleVariable+"=report "+self(t))
	c := startOnConsole(t, cmd)
	c.await(t, "prompt> ")
	return c
}

func (c *console) write(t *testing.T, s string) {
	t.Helper()
	if _, err := c.master.WriteString(s); err != nil {
		t.Fatal(err)
	}
}

// await waits until the terminal shows something, after what was awaited last, and returns the matches.
func (c *console) await(t *testing.T, pattern string) []string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	eventually(t, "the terminal to show "+pattern, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		rest := c.out.String()[c.pos:]
		at := re.FindStringSubmatchIndex(rest)
		if at == nil {
			return false
		}
		found = re.FindStringSubmatch(rest)
		c.pos += at[1]
		return true
	})
	return found
}

// count returns how often the terminal has shown something.
func (c *console) count(s string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Count(c.out.String(), s)
}

func (c *console) resize(t *testing.T, cols, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(c.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: cols, Row: rows}); err != nil {
		t.Fatal(err)
	}
}
