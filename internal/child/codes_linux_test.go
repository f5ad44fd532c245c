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
			code, err := child.Run(t.Context(), child.Command{Args: []string{"sh", "-c", test.script}})
			if code != test.want || err != nil {
				t.Errorf("Run = %d, %v, want %d", code, err, test.want)
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
		code, err := child.Run(t.Context(), child.Command{Args: []string{"sh", "-c", script}})
		if code != want || err != nil {
			t.Fatalf("run %d of %q: %d, %v, want %d", i, script, code, err, want)
		}
	}
	noChildren(t)
}

func TestNotStarted(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for name, mode := range map[string]fs.FileMode{"plain": 0o644, "interpreterless": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/no/such/interpreter\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		want int
		is   error
	}{
		{"no-such-command", child.NotFound, exec.ErrNotFound},
		{"/no/such/command", child.NotFound, fs.ErrNotExist},
		{filepath.Join(dir, "interpreterless"), child.NotFound, fs.ErrNotExist},
		{filepath.Join(dir, "plain"), child.NotExecutable, fs.ErrPermission},
		{"plain", child.NotExecutable, fs.ErrPermission},
		{dir, child.NotExecutable, fs.ErrPermission},
	}
	for _, test := range tests {
		t.Run(filepath.Base(test.name), func(t *testing.T) {
			code, err := child.Run(t.Context(), child.Command{Args: []string{test.name}})
			if code != test.want || !errors.Is(err, test.is) {
				t.Errorf("Run = %d, %v, want %d", code, err, test.want)
			}
			if bash, err := exec.LookPath("bash"); err == nil {
				var exit *exec.ExitError
				if err := exec.Command(bash, "-c", test.name).Run(); !errors.As(err, &exit) || exit.ExitCode() != test.want {
					t.Errorf("bash says %v, want %d", err, test.want)
				}
			}
		})
	}
	if code, err := child.Run(t.Context(), child.Command{}); code != child.NotFound || err == nil {
		t.Errorf("Run of nothing = %d, %v", code, err)
	}
	noChildren(t)
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
	if code, err := child.Run(ctx, child.Command{Args: []string{"sh", "-c", script}, Stdout: w}); code != 5 || err != nil {
		t.Errorf("Run = %d, %v, want 5", code, err)
	}
	if code, err := child.Run(ctx, child.Command{Args: []string{"true"}}); code == 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("Run with a ctx that is done = %d, %v", code, err)
	}
	noChildren(t)
}

// The kernel sends the child SIGTERM when the thread that forked it ends, which must not be while we live.
func TestThreadsMayEnd(t *testing.T) {
	ended := make(chan int)
	go func() {
		code, _ := child.Run(context.Background(), child.Command{Args: []string{"sleep", "0.3"}})
		ended <- code
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
