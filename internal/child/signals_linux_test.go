package child_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/needtest"
)

// A reporter is a wrapped report at work.
type reporter struct {
	wrapper *exec.Cmd
	stdin   io.Closer
	out     *bufio.Scanner
	pid     int // of the child
}

func startReporter(t *testing.T) *reporter {
	t.Helper()
	cmd := wrapped(t, self(t))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := &reporter{wrapper: cmd, stdin: stdin, out: bufio.NewScanner(stdout)}
	if _, err := fmt.Sscanf(r.next(t), "ready %d", &r.pid); err != nil {
		t.Fatal(err)
	}
	return r
}

// next returns the child's next line.
func (r *reporter) next(t *testing.T) string {
	t.Helper()
	if !r.out.Scan() {
		t.Fatalf("the child has ended: %v", r.out.Err())
	}
	return r.out.Text()
}

// end lets the child end and checks its last words and exit code.
func (r *reporter) end(t *testing.T) {
	t.Helper()
	r.stdin.Close()
	for r.out.Scan() {
		t.Errorf("the child says %q at the end", r.out.Text())
	}
	_ = r.wrapper.Wait()
	if code := r.wrapper.ProcessState.ExitCode(); code != 7 {
		t.Errorf("the exit code is %d, want 7", code)
	}
}

func TestSignalsReachTheChildOnce(t *testing.T) {
	for _, to := range []string{"process", "group"} {
		t.Run(to, func(t *testing.T) {
			r := startReporter(t)
			target := r.wrapper.Process.Pid
			if to == "group" {
				target = -target
			}
			var want, got []string
			for range 10 {
				for _, sig := range reported {
					if err := unix.Kill(target, sig.(syscall.Signal)); err != nil {
						t.Fatal(err)
					}
					want = append(want, "<"+unix.SignalName(sig.(syscall.Signal))+">")
					got = append(got, r.next(t)) // one that came twice shows here or at the end
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			r.end(t)
		})
	}
}

func TestStopAndContinueWithoutTerminal(t *testing.T) {
	r := startReporter(t)
	for range 20 {
		if err := unix.Kill(r.wrapper.Process.Pid, unix.SIGTSTP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the child to stop", func() bool { return processState(t, r.pid) == "T" })
		if state := processState(t, r.wrapper.Process.Pid); state == "T" {
			t.Fatal("we have stopped too, though nobody would notice")
		}
		if err := unix.Kill(r.wrapper.Process.Pid, unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if got := r.next(t); got != "<SIGCONT>" {
			t.Fatalf("the child says %q", got)
		}
	}
	r.end(t)
}

func TestKilledOutright(t *testing.T) {
	for range 20 {
		r := startReporter(t)
		if err := r.wrapper.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if got := r.next(t); got != "<SIGTERM>" {
			t.Fatalf("the child says %q", got)
		}
		r.stdin.Close()
		for r.out.Scan() { // the kernel may say it again as our other threads die
			if r.out.Text() != "<SIGTERM>" {
				t.Errorf("the child says %q", r.out.Text())
			}
		}
		_ = r.wrapper.Wait()
	}
}

func TestChildThatIgnoresSIGTERM(t *testing.T) {
	cmd := wrapped(t, "sh", "-c", "trap '' TERM; echo ready; read line; exit 9")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(stdin)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 9 {
		t.Errorf("the exit code is %d, want 9", code)
	}
}

// What is sent to us reaches the whole job, as from a terminal: a shell's children too.
func TestGrandchildren(t *testing.T) {
	cmd := wrapped(t, "sh", "-c", "sleep 100 & sleep 100 & echo $!; wait")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil { // ends when nobody has the pipe any more
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 143 {
		t.Errorf("the exit code is %d, want 143", code)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the grandchild to be gone", func() bool { s := processState(t, pid); return s == "" || s == "Z" })
}

func TestIgnoredStaysIgnored(t *testing.T) {
	cmd := wrapped(t, "sh", "-c", "kill -HUP $PPID; kill -HUP $$; exit 6")
	script := fmt.Sprintf("trap '' HUP; exec %s \"$@\"", self(t))
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", script, "sh"}, cmd.Args[1:]...)
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 6 {
		t.Errorf("the exit code is %d, want 6", code)
	}
}

// As a container's first process we inherit whatever loses its parent.
func TestFirstProcessReaps(t *testing.T) {
	// The grandchild's parent ends at once, and the grandchild soon after. The child then counts our zombies.
	script := `(sleep 0.05 & ) ; sleep 0.3; grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l`
	cmd := exec.Command("unshare", "--map-root-user", "--user", "--pid", "--fork", "--mount-proc", self(t), "sh", "-c", script)
	cmd.Env = append(os.Environ(), roleVariable+"=wrap")
	out, err := cmd.CombinedOutput()
	if err != nil {
		needtest.Missing(t, fmt.Sprintf("a PID namespace (%v: %s)", err, out))
	}
	if got := strings.TrimSpace(string(out)); got != "0" {
		t.Errorf("there are zombies: %s", got)
	}
}

// processState returns the letter of a process's state, or "" if there is no such process.
func processState(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return after[:1]
}
