package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// Each user has a cache of their own, though all users' segments are in one directory.
func TestCacheOfEachUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be two users")
	}
	service, env := startService(t)
	program := programForAll(t)
	for range 2 {
		for _, user := range []uint32{65533, 65534} {
			p := command(t, append(env, "XDG_CONFIG_HOME="+filepath.Dir(program)), "token")
			p.Path = program
			p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
			p.start(t)
			if code := p.exit(t); code != exitOK || p.err.String() != "" {
				t.Errorf("user %d: exit code %d, %q", user, code, p.err.String())
			}
		}
	}
	if n := service.Counters().TokensIssued; n != 2 {
		t.Errorf("%d logins, want one a user", n)
	}
}

// What root shares, other users can't read, and they are told why.
func TestOtherUsersSegment(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be two users")
	}
	_, env := startService(t)
	program := programForAll(t)
	name := unique()
	sharer := command(t, env, "share", "--name", name)
	sharer.start(t)
	testkit.Eventually(t, "a token", func() bool { return strings.Contains(sharer.out.String(), name) })
	p := command(t, env, "collect", name)
	p.Path = program
	p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	p.start(t)
	if code := p.exit(t); code != exitFailure || !strings.Contains(p.err.String(), "hint: it belongs to another user") {
		t.Errorf("exit code %d, %q", code, p.err.String())
	}
	sharer.Process.Signal(os.Interrupt)
	if code := sharer.exit(t); code != exitOK {
		t.Errorf("the sharer's exit code is %d: %s", code, sharer.err.String())
	}
}

// programForAll returns a copy of the command that every user may run. The segments that
// it leaves are removed at the end.
func programForAll(t *testing.T) string {
	t.Helper()
	before := segmentFiles(t)
	t.Cleanup(func() {
		for path := range segmentFiles(t) {
			if !before[path] {
				os.Remove(path)
			}
		}
	})
	dir, err := os.MkdirTemp("", "shsession")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// Another process writes the copy: a process that another test forks meanwhile would inherit
	// our file descriptor, and a file that is open for writing can't be executed (ETXTBSY).
	program := filepath.Join(dir, "shsession")
	if out, err := exec.Command("cp", self, program).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}

// segmentFiles returns the files in /dev/shm that belong to the users of these tests.
func segmentFiles(t *testing.T) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir("/dev/shm")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue // removed meanwhile
		}
		uid := info.Sys().(*syscall.Stat_t).Uid
		if strings.Contains(entry.Name(), "shsession-") && (uid == 65533 || uid == 65534) {
			files[filepath.Join("/dev/shm", entry.Name())] = true
		}
	}
	return files
}
