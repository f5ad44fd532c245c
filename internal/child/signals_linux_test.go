package child_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/testkit"
)

// A process is a wrapped command at work.
type process struct{ *testkit.Child }

func start(t *testing.T, cmd *exec.Cmd) process {
	t.Helper()
	return process{testkit.StartChild(t, cmd)}
}

// wantCode waits for the end and checks the exit code.
func (p process) wantCode(t *testing.T, want int) {
	t.Helper()
	_ = p.Wait() // the exit code tells
	if code := p.ProcessState.ExitCode(); code != want {
		t.Errorf("the exit code is %d, want %d", code, want)
	}
}

// A reporter is a wrapped report at work.
type reporter struct {
	process
	pid int // of the child
}

func startReporter(t *testing.T) *reporter {
	t.Helper()
	r := &reporter{process: start(t, wrapped(t, self(t)))}
	if _, err := fmt.Sscanf(r.Line(t), "ready %d", &r.pid); err != nil {
		t.Fatal(err)
	}
	return r
}

// end lets the child end and checks its last words and exit code.
func (r *reporter) end(t *testing.T) {
	t.Helper()
	r.In.Close()
	if rest := r.Rest(t); rest != "" {
		t.Errorf("the child says %q at the end", rest)
	}
	r.wantCode(t, 7)
}

func TestSignalsReachTheChildOnce(t *testing.T) {
	for _, to := range []string{"process", "group"} {
		t.Run(to, func(t *testing.T) {
			r := startReporter(t)
			target := r.Process.Pid
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
					got = append(got, r.Line(t)) // one that came twice shows here or at the end
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
		if err := unix.Kill(r.Process.Pid, unix.SIGTSTP); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "the child to stop", func() bool { return processState(t, r.pid) == "T" })
		if state := processState(t, r.Process.Pid); state == "T" {
			t.Fatal("we have stopped too, though nobody would notice")
		}
		if err := unix.Kill(r.Process.Pid, unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if got := r.Line(t); got != "<SIGCONT>" {
			t.Fatalf("the child says %q", got)
		}
	}
	r.end(t)
}

func TestKilledOutright(t *testing.T) {
	t.Parallel()
	for range 20 {
		r := startReporter(t)
		if err := r.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if got := r.Line(t); got != "<SIGTERM>" {
			t.Fatalf("the child says %q", got)
		}
		r.In.Close()
		for line := range strings.Lines(r.Rest(t)) { // the kernel may say it again as our other threads die
			if line != "<SIGTERM>\n" {
				t.Errorf("the child says %q", line)
			}
		}
		_ = r.Wait()
	}
}

func TestChildThatIgnoresSIGTERM(t *testing.T) {
	p := start(t, wrapped(t, "sh", "-c", "trap '' TERM; echo ready; read line; exit 9"))
	p.Line(t)
	for range 3 {
		if err := p.Process.Signal(unix.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintln(p.In)
	p.wantCode(t, 9)
}

// What is sent to us reaches the whole job, as from a terminal: a shell's children too.
func TestGrandchildren(t *testing.T) {
	p := start(t, wrapped(t, "sh", "-c", "sleep 100 & sleep 100 & echo $!; wait"))
	pid, err := strconv.Atoi(p.Line(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.Rest(t) // until nobody has the pipe any more
	p.wantCode(t, 143)
	testkit.Eventually(t, "the grandchild to be gone", func() bool { s := processState(t, pid); return s == "" || s == "Z" })
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
		testkit.Missing(t, fmt.Sprintf("a PID namespace (%v: %s)", err, out))
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
