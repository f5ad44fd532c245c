package atomicfile_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/atomicfile"
	"github.com/shsession/shsession/internal/testkit"
)

// This test binary is also another process: roleEnv says which, and pathEnv the file that it
// writes.
const (
	roleEnv = "ATOMICFILE_TEST_ROLE"
	pathEnv = "ATOMICFILE_TEST_PATH"
)

func TestMain(m *testing.M) {
	path := os.Getenv(pathEnv)
	switch os.Getenv(roleEnv) {
	case "stay": // before the rename, until it is killed
		_ = atomicfile.Replace(context.Background(), path, func(f *os.File) error {
			f.WriteString("secret")
			os.Stdout.WriteString("ready\n")
			_, err := io.Copy(io.Discard, os.Stdin)
			return err
		})
	case "mounted": // over itself
		if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
			os.Stdout.WriteString("mount: " + err.Error())
			os.Exit(0)
		}
		err := atomicfile.Replace(context.Background(), path, text("new"))
		os.Stdout.WriteString(err.Error())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func another(role, path string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleEnv+"="+role, pathEnv+"="+path)
	return cmd
}

// A process that is killed before its rename leaves its new file, until the next one writes.
// While it lives, though it is stopped, its file stays.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	cmd := another("stay", path)
	if _, err := cmd.StdinPipe(); err != nil { // which stays open
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	replace := func() (files int) {
		if err := atomicfile.Replace(t.Context(), path, text("whole")); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if n := replace(); n != 2 {
		t.Errorf("%d files while the other process lives, want 2", n)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	if n := replace(); n != 1 {
		t.Errorf("%d files after the other process was killed, want 1", n)
	}
	want(t, path, "whole")
}

// Files that others named like new ones, and that aren't regular, are left alone.
func TestSweepLeavesOthers(t *testing.T) {
	dir := t.TempDir()
	pipe, link := filepath.Join(dir, ".shsession-temp-pipe"), filepath.Join(dir, ".shsession-temp-link")
	target := filepath.Join(dir, "target")
	for _, err := range []error{unix.Mkfifo(pipe, 0o600), os.WriteFile(target, nil, 0o600), os.Symlink(target, link)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.Replace(t.Context(), filepath.Join(dir, "file"), text("")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{pipe, link, target} {
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
}

// A file that is mounted by itself can't be replaced, and the error says what to do.
func TestMounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := another("mounted", path)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.Output()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.HasPrefix(string(out), "mount: ") {
		testkit.Missing(t, "the right to make namespaces")
	}
	if err != nil || !strings.Contains(string(out), path+" is a mount point") || !strings.Contains(string(out), "mount its directory instead") {
		t.Errorf("%q, %v", out, err)
	}
	want(t, path, "old")
	wantAlone(t, path)
}
