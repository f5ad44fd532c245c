package interop_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession/identity"
)

// A command is our own, with an identity service to log into and a home directory of its own.
type command struct {
	path string
	env  []string
}

// newCommand returns the command for a service at a URL of listen.
func newCommand(t *testing.T, url string) command {
	t.Helper()
	return commandAt(t, buildCommand(t), url)
}

// buildCommand returns the path of the command, which the script run builds once for all tests. Who doesn't wish for them
// doesn't wait for it.
func buildCommand(t *testing.T) string {
	t.Helper()
	needVariable(t, "SHSESSION_INTEROP", "the wish to run the command")
	if path := os.Getenv("SHSESSION_COMMAND"); path != "" {
		return path
	}
	path := filepath.Join(t.TempDir(), "shsession")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", path, "../cmd/shsession").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func commandAt(t *testing.T, path, url string) command {
	t.Helper()
	home := t.TempDir()
	c := command{path, []string{
		"PATH=" + filepath.Dir(path) + ":" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home,
		"SH_BASE_URL=" + url, "SH_TOKEN_URL=" + realmOf(url) + "/protocol/openid-connect/token",
		"SH_CLIENT_ID=" + identity.DevelopmentID, "SH_CLIENT_SECRET=" + identity.DevelopmentSecret,
	}}
	t.Cleanup(func() { _ = c.run(context.Background(), "logout").Run() }) // what it has cached on this machine
	return c
}

// run returns the command with its arguments.
func (c command) run(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.path, args...)
	cmd.Env = c.env
	return cmd
}

// start starts the command, which goes on until the test ends, and returns the first line that it prints.
func (c command) start(t *testing.T, args ...string) string {
	t.Helper()
	cmd := c.run(context.Background(), args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, readErr := bufio.NewReader(stdout).ReadString('\n')
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Errorf("shsession %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
		}
	})
	if readErr != nil {
		t.Fatalf("shsession %s printed nothing", strings.Join(args, " "))
	}
	return line
}

// shareHeader keeps a token in a header file, and returns its path.
func (c command) shareHeader(t *testing.T) string {
	t.Helper()
	path := filepath.Join(memoryDir(t), "header")
	c.start(t, "share", "--to", "header:"+path)
	return path
}

// memoryDir returns a directory in memory, as $XDG_RUNTIME_DIR is, where there is one: a disk can keep whoever puts a file
// back waiting for other programs' writes.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "shsession-interop-")
	if errors.Is(err, fs.ErrNotExist) {
		return t.TempDir()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// proxy runs a proxy, with arguments, and returns its URL.
func (c command) proxy(t *testing.T, args ...string) string {
	t.Helper()
	line := c.start(t, append([]string{"proxy", "--listen", "127.0.0.1:0"}, args...)...)
	return strings.Fields(line)[1]
}
