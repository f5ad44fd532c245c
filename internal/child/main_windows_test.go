package child_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/shsession/shsession/internal/child"
)

// roleVariable makes the test binary play a part in a test.
const roleVariable = "CHILD_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(roleVariable); role {
	case "":
		os.Exit(m.Run())
	case "wrap": // shsession share --
		exit, err := child.Run(context.Background(), child.Command{
			Args:  os.Args,
			Env:   append(os.Environ(), roleVariable+"=report"),
			Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		})
		if err != nil {
			fmt.Println(err)
		}
		os.Exit(exit.Code)
	case "report":
		os.Exit(report())
	case "console":
		os.Exit(console())
	default:
		panic("no such role: " + role)
	}
}

// report plays a child that says which signals it gets, until a line of its input says with
// what code to end.
func report() int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals)
	go func() {
		for sig := range signals {
			fmt.Println(sig)
		}
	}()
	fmt.Println("ready", os.Getpid())
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	code, parseErr := strconv.Atoi(strings.TrimSpace(line))
	if errors.Join(err, parseErr) != nil {
		return 99
	}
	return code
}

// A wrapped is a wrap at work.
type wrapped struct {
	*exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	report int // the report's process
}

// startRole starts a role with the console flags, and returns when its report is ready.
func startRole(role string, flags uint32) (*wrapped, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: flags}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &wrapped{cmd, stdin, bufio.NewReader(stdout), 0}
	_, err = fmt.Fscanf(w.stdout, "ready %d\n", &w.report)
	return w, err
}

// expect reads a line.
func (w *wrapped) expect(want string) error {
	line, err := w.stdout.ReadString('\n')
	if err == nil && strings.TrimSpace(line) != want {
		err = fmt.Errorf("%q, want %s", line, want)
	}
	return err
}

// end makes the report end with a code, and returns the wrap's.
func (w *wrapped) end(code int) int {
	fmt.Fprintln(w.stdin, code)
	w.Wait()
	return w.ProcessState.ExitCode()
}

// console has a console of its own, where it presses ^C twice while a wrap runs. Under Wine
// a process group that gets ^Break hangs, and a console can't be closed: see TestConsoleEvents.
func console() int {
	signal.Notify(make(chan os.Signal, 8)) // which ^C sends here too
	w, err := startRole("wrap", 0)
	for range 2 {
		if err == nil {
			err = windows.GenerateConsoleCtrlEvent(windows.CTRL_C_EVENT, 0)
		}
		if err == nil {
			err = w.expect("interrupt")
		}
	}
	if err == nil && w.end(5) != 5 {
		err = fmt.Errorf("the wrap ended with %v", w.ProcessState)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready", os.Getpid())
	return 0
}

func TestExitCodes(t *testing.T) {
	for _, code := range []int{0, 1, 300, 0xC000013A} {
		w, err := startRole("wrap", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.end(code); got != code {
			t.Errorf("exit code %#x, want %#x", got, code)
		}
	}
}

// What is killed outright takes its command along.
func TestKilled(t *testing.T) {
	w, err := startRole("wrap", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.stdin.Close()
	if err := w.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Its output, which the command has too, ends with the last of them.
	if rest, err := io.ReadAll(w.stdout); err != nil || len(rest) > 0 {
		t.Errorf("%q, %v", rest, err)
	}
	w.Wait()
}

// ^C reaches the command, and its wrap goes on until that ends.
func TestInterrupt(t *testing.T) {
	w, err := startRole("console", windows.CREATE_NO_WINDOW)
	if err != nil {
		t.Fatal(err)
	}
	if w.Wait(); w.ProcessState.ExitCode() != 0 {
		t.Error(w.ProcessState)
	}
}

// ^Break, and the closing of the console, the end of the session and of the system, are
// delivered here as Windows does it: in a process of the console, a thread runs CtrlRoutine.
func TestConsoleEvents(t *testing.T) {
	for _, event := range []uint32{windows.CTRL_BREAK_EVENT, windows.CTRL_CLOSE_EVENT, windows.CTRL_LOGOFF_EVENT, windows.CTRL_SHUTDOWN_EVENT} {
		w, err := startRole("wrap", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer time.AfterFunc(time.Minute, func() { w.stdin.Close() }).Stop() // and the report ends with 99
		if err := errors.Join(deliver(w.Process.Pid, event), deliver(w.report, event)); err != nil {
			t.Fatal(err)
		}
		want, code := "terminated", 1 // the report goes on, until the wrap kills it
		if event == windows.CTRL_BREAK_EVENT {
			want, code = "interrupt", 5
		}
		if err := w.expect(want); err != nil {
			t.Errorf("event %d: %v", event, err)
		}
		if event == windows.CTRL_BREAK_EVENT {
			fmt.Fprintln(w.stdin, code)
		}
		if w.Wait(); w.ProcessState.ExitCode() != code {
			t.Errorf("event %d: the wrap ended with %v, want %d", event, w.ProcessState, code)
		}
	}
}

// deliver delivers an event of the console to a process.
func deliver(pid int, event uint32) error {
	process, err := windows.OpenProcess(windows.PROCESS_CREATE_THREAD|windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_OPERATION|
		windows.PROCESS_VM_WRITE|windows.PROCESS_VM_READ, false, uint32(pid))
	if err != nil {
		return err
	}
	defer windows.CloseHandle(process)
	kernelbase, kernel32 := windows.NewLazySystemDLL("kernelbase.dll"), windows.NewLazySystemDLL("kernel32.dll")
	routine := kernelbase.NewProc("CtrlRoutine") // at the same address in every process
	if err := routine.Find(); err != nil {
		return err
	}
	thread, _, err := kernel32.NewProc("CreateRemoteThread").Call(uintptr(process), 0, 0, routine.Addr(), uintptr(event), 0, 0)
	if thread == 0 {
		return err
	}
	return windows.CloseHandle(windows.Handle(thread))
}
