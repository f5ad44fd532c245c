package child_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/testkit"
)

// roleVariable makes the test binary play a part in a test.
const roleVariable = "CHILD_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		testkit.VerifyTestMain(m)
	case "wrap":
		os.Exit(wrap(os.Args[1:]))
	case "report":
		os.Exit(report(os.Args[1:]))
	default:
		panic("no such role: " + role)
	}
}

// wrap plays shsession share -- args.
func wrap(args []string) int {
	exit, err := child.Run(context.Background(), child.Command{
		Args:  args,
		Env:   append(os.Environ(), roleVariable+"=report"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	if exit.Key != 0 {
		child.EndBy(exit.Key)
	}
	return exit.Code
}

var reported = []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGCONT}

// report plays a child that says which signals and lines it gets, until the line "quit" or the end of its
// input. Its argument is where the lines come from, if not from its standard input.
func report(args []string) int {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, reported...)
	in := os.Stdin
	if len(args) > 0 {
		f, err := os.Open(args[0])
		if err != nil {
			fmt.Println(err)
			return 1
		}
		in = f
	}
	fmt.Printf("ready %d\n", os.Getpid()) // before it reads, which may stop it
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for {
		select {
		case sig := <-signals:
			fmt.Printf("<%s>%s\n", unix.SignalName(sig.(syscall.Signal)), size(sig))
		case line, ok := <-lines:
			if !ok || line == "quit" {
				return 7
			}
			fmt.Printf("<line %s>\n", line)
		}
	}
}

// size says how large the terminal is, when it has changed.
func size(sig os.Signal) string {
	if sig != unix.SIGWINCH {
		return ""
	}
	ws, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" %dx%d", ws.Col, ws.Row)
}

// self returns the path of the test binary.
func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// wrapped returns a command that runs args in the way of shsession share, in a session of its own and
// so without a terminal, and killed at the end of the test.
func wrapped(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(self(t), args...)
	cmd.Env = append(os.Environ(), roleVariable+"=wrap")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL}
	cmd.Stderr = os.Stderr
	return cmd
}
