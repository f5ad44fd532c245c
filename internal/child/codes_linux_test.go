package child_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/testkit"
)

// noChildren checks that this process has no child, zombies included.
func noChildren(t *testing.T) {
	t.Helper()
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("wait4 = %d, %v: there is a child left", pid, err)
	}
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		script string
		want   int
	}{
		{"exit 0", 0},
		{"exit 7", 7},
		{"exit 255", 255},
		{"kill -TERM $$", 143},
		{"kill -KILL $$", 137},
		{"kill -INT $$", 130},
		{"kill -HUP $$", 129},
		{"trap '' TERM; kill -TERM $$; exit 3", 3},
		{"sleep 1 & exit 4", 4}, // a grandchild outlives it
	}
	for _, test := range tests {
		t.Run(test.script, func(t *testing.T) {
			exit, err := child.Run(t.Context(), child.Command{Args: []string{"sh", "-c", test.script}})
			if exit != (child.Exit{Code: test.want}) || err != nil {
				t.Errorf("Run = %v, %v, want %d", exit, err, test.want)
			}
		})
	}
	noChildren(t)
}

func TestTwoHundredTimes(t *testing.T) {
	for i := range 200 {
		script, want := "exit 7", 7
		if i%2 == 1 {
			script, want = "kill -TERM $$", 143
		}
		exit, err := child.Run(t.Context(), child.Command{Args: []string{"sh", "-c", script}})
		if exit.Code != want || err != nil {
			t.Fatalf("run %d of %q: %d, %v, want %d", i, script, exit.Code, err, want)
		}
	}
	noChildren(t)
}

// writeFiles makes files in a new directory, and puts that in front of PATH.
func writeFiles(t *testing.T, files map[string]string, mode fs.FileMode) (dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// asInBash checks that a shell's exit code for a command is the same as ours.
func asInBash(t *testing.T, script string, want int) {
	t.Helper()
	cmd := exec.Command(testkit.Need(t, "bash"), "-c", script)
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != want {
		t.Errorf("bash says %d, want %d", code, want)
	}
}

func TestNotStarted(t *testing.T) {
	plain := writeFiles(t, map[string]string{"plain": "#!/bin/sh\n"}, 0o644)
	dir := writeFiles(t, map[string]string{
		"interpreterless": "#!/no/such/interpreter\n",
		"foreign":         "\x7fELF\x00 of another machine\n",
	}, 0o755)
	tests := []struct {
		name string
		want int
		is   error
	}{
		{"no-such-command", child.NotFound, exec.ErrNotFound},
		{"/no/such/command", child.NotFound, fs.ErrNotExist},
		{filepath.Join(dir, "interpreterless"), child.NotFound, fs.ErrNotExist},
		{filepath.Join(plain, "plain"), child.NotExecutable, fs.ErrPermission},
		{"plain", child.NotExecutable, fs.ErrPermission},
		{"foreign", child.NotExecutable, unix.ENOEXEC},
		{dir, child.NotExecutable, fs.ErrPermission},
	}
	for _, test := range tests {
		t.Run(filepath.Base(test.name), func(t *testing.T) {
			exit, err := child.Run(t.Context(), child.Command{Args: []string{test.name}})
			if exit.Code != test.want || !errors.Is(err, test.is) {
				t.Errorf("Run = %d, %v, want %d", exit.Code, err, test.want)
			}
			asInBash(t, test.name, test.want)
		})
	}
	for _, args := range [][]string{nil, {""}, {"", "argument"}} {
		if exit, err := child.Run(t.Context(), child.Command{Args: args}); exit.Code != child.NotFound || err == nil {
			t.Errorf("Run of %q = %d, %v", args, exit.Code, err)
		}
	}
	asInBash(t, "''", child.NotFound)
	noChildren(t)
}

// A script that doesn't say what runs it is the shell's, and gets its arguments.
func TestScriptWithoutInterpreter(t *testing.T) {
	dir := writeFiles(t, map[string]string{"script": "exit $(($1 + $#))\n", "empty": "", "-c": "exit 4"}, 0o755)
	t.Chdir(dir)
	t.Setenv("PATH", "relative:.:"+os.Getenv("PATH"))
	for _, test := range []struct {
		args []string
		want int
	}{
		{[]string{filepath.Join(dir, "script"), "40", "x"}, 42},
		{[]string{"script", "40", "x", ""}, 43},
		{[]string{"./script", "3"}, 4},
		{[]string{"empty"}, 0},
		{[]string{"-c", "exit 9"}, 4},
	} {
		if exit, err := child.Run(t.Context(), child.Command{Args: test.args}); exit.Code != test.want || err != nil {
			t.Errorf("Run of %q = %d, %v, want %d", test.args, exit.Code, err, test.want)
		}
	}
	noChildren(t)
}

// PATH may lead to the working directory, if its owner wants that.
func TestPathLeadsHere(t *testing.T) {
	dir := writeFiles(t, map[string]string{"dotted": "#!/bin/sh\nexit 6\n"}, 0o755)
	t.Chdir(dir)
	for _, path := range []string{".:", ":", "../" + filepath.Base(dir) + ":"} {
		t.Setenv("PATH", path+"/usr/bin:/bin")
		if exit, err := child.Run(t.Context(), child.Command{Args: []string{"dotted"}}); exit.Code != 6 || err != nil {
			t.Errorf("with %q in PATH Run = %d, %v, want 6", path, exit.Code, err)
		}
		asInBash(t, "dotted", 6)
	}
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	go func() {
		_, _ = r.Read(make([]byte, 1)) // the child is ready
		cancel()
	}()
	// It takes its time after the SIGTERM, and is waited for.
	script := `trap 'sleep 0.1; exit 5' TERM; echo; while :; do sleep 0.01; done`
	if exit, err := child.Run(ctx, child.Command{Args: []string{"sh", "-c", script}, Stdout: w}); exit.Code != 5 || err != nil {
		t.Errorf("Run = %d, %v, want 5", exit.Code, err)
	}
	if exit, err := child.Run(ctx, child.Command{Args: []string{"true"}}); exit.Code == 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Run with a ctx that is done = %d, %v", exit.Code, err)
	}
	noChildren(t)
}

// A ctx that ends when the signals are the command's already keeps that from being started, and a
// signal that comes then is one for the command.
func TestCaught(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("a reason")
	exit, err := child.Run(ctx, child.Command{Args: []string{"touch", mark}, Caught: func() { cancel(reason) }})
	if exit.Code != child.NotExecutable || !errors.Is(err, reason) {
		t.Errorf("Run = %d, %v", exit.Code, err)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("the command was started")
	}
	exit, err = child.Run(t.Context(), child.Command{Args: []string{"sleep", "100"}, Caught: func() {
		if err := unix.Kill(os.Getpid(), unix.SIGTERM); err != nil {
			t.Error(err)
		}
	}})
	if exit.Code != 143 || err != nil {
		t.Errorf("Run = %d, %v, want 143", exit.Code, err)
	}
	noChildren(t)
}

// The kernel sends the child SIGTERM when the thread that forked it ends, which must not be while we live.
func TestThreadsMayEnd(t *testing.T) {
	ended := make(chan int)
	go func() {
		exit, _ := child.Run(context.Background(), child.Command{Args: []string{"sleep", "0.3"}})
		ended <- exit.Code
	}()
	for {
		select {
		case code := <-ended:
			if code != 0 {
				t.Errorf("Run = %d", code)
			}
			return
		default:
		}
		done := make(chan struct{})
		go func() { // a goroutine that ends locked takes its thread with it
			runtime.LockOSThread()
			close(done)
		}()
		<-done
	}
}
