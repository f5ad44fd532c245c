package shm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

const valid = `{"access_token": "planted", "expires_at": 4000000000}`

// plant writes the file of a segment.
func plant(t testing.TB, path string, data []byte, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestUntrusted plants files under the segment's name that somebody else may have
// written, or that would block or swamp a reader.
func TestUntrusted(t *testing.T) {
	for _, test := range []struct {
		name  string
		plant func(t *testing.T, path string)
	}{
		{"symlink", func(t *testing.T, path string) {
			target := t.TempDir() + "/token"
			plant(t, target, []byte(valid), 0o600)
			must(t, os.Symlink(target, path))
		}},
		{"fifo", func(t *testing.T, path string) { must(t, unix.Mkfifo(path, 0o600)) }},
		{"directory", func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o700)) }},
		{"group-writable", func(t *testing.T, path string) { plant(t, path, []byte(valid), 0o620) }},
		{"world-writable", func(t *testing.T, path string) { plant(t, path, []byte(valid), 0o602) }},
		{"10 GiB", func(t *testing.T, path string) {
			plant(t, path, []byte(valid), 0o600)
			must(t, os.Truncate(path, 10<<30))
		}},
		{"another user's", func(t *testing.T, path string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			plant(t, path, []byte(valid), 0o600)
			must(t, os.Chown(path, 12345, -1))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := newName(t)
			s := open(t, name)
			test.plant(t, dir+name)
			defer remove(t, dir+name)
			want := os.Geteuid()
			if test.name == "another user's" {
				want = 12345
			}
			check := func(err error) {
				t.Helper()
				var untrusted *shm.UntrustedError
				if !errors.As(err, &untrusted) || untrusted.UID != want || untrusted.Path != dir+name {
					t.Errorf("%v, want an UntrustedError of uid %d", err, want)
				}
			}
			_, err := s.Load(t.Context())
			check(err)
			check(s.Publish(t.Context(), token(t, "ours")))
			segments, err := shm.List(t.Context())
			if err != nil {
				t.Error(err)
			}
			for _, segment := range segments {
				if segment.Name == name {
					t.Error("List returned it")
				}
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestUntrustedLock gives a lock to another user. All that need the lock say so at once.
func TestUntrustedLock(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	calls := map[string]map[string]func(*shm.Store) error{
		"lock": {
			"TryLock": func(s *shm.Store) error { _, _, err := s.TryLock(t.Context(), nil); return err },
		},
		"change": {
			"Publish":  func(s *shm.Store) error { return s.Publish(t.Context(), token(t, "ours")) },
			"Withdraw": func(s *shm.Store) error { return s.Withdraw(t.Context()) },
			"Watch": func(s *shm.Store) error {
				_, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
				return err
			},
		},
	}
	for _, lock := range locks {
		for what, call := range calls[lock] {
			t.Run(lock+" "+what, func(t *testing.T) {
				name := newName(t)
				must(t, open(t, name).Withdraw(t.Context())) // makes the directory
				path := lockPath(name, lock)
				plant(t, path, nil, 0o644)
				must(t, os.Chown(path, 12345, -1))
				var untrusted *shm.UntrustedError
				if err := call(open(t, name)); !errors.As(err, &untrusted) || untrusted.UID != 12345 || untrusted.Path != path {
					t.Errorf("%v, want an UntrustedError of uid 12345", err)
				}
			})
		}
	}
}

// TestLockDirTaken: what is under the name of the directory of a user's locks isn't that.
func TestLockDirTaken(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	const uid = 12345 // of the child
	path := dir + ".shsession-12345"
	mkdir := func(mode os.FileMode, owner int) {
		must(t, os.Mkdir(path, mode))
		must(t, os.Chmod(path, mode))
		must(t, os.Chown(path, owner, owner))
	}
	for what, take := range map[string]func(){
		"another user's":     func() { mkdir(0o700, 54321) },
		"root's":             func() { mkdir(0o777, 0) },
		"writable by others": func() { mkdir(0o777, uid) },
		"a link":             func() { must(t, os.Symlink(os.TempDir(), path)); must(t, os.Lchown(path, uid, uid)) },
		"a file":             func() { plant(t, path, nil, 0o600); must(t, os.Chown(path, uid, uid)) },
	} {
		t.Run(what, func(t *testing.T) {
			take()
			t.Cleanup(func() { remove(t, path) })
			startChild(t, "locked out", newName(t), func(cmd *exec.Cmd) {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
			})
		})
	}
}

// lockedOut runs as a user who can't have a directory for locks.
func lockedOut(ctx context.Context, s *shm.Store) error {
	_, _, err := s.TryLock(ctx, nil)
	var untrusted *shm.UntrustedError
	if !errors.As(err, &untrusted) || untrusted.Path != dir+".shsession-12345" {
		return fmt.Errorf("TryLock: %v, want an UntrustedError of the directory", err)
	}
	return nil
}

// TestNoToken plants segments that hold no token: they are read as nothing, and a token
// can be published in their place.
func TestNoToken(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"empty":      "",
		"NULs":       strings.Repeat("\x00", 500),
		"half":       valid[:len(valid)/2],
		"NUL inside": strings.Replace(valid, ",", ",\x00", 1),
		"NUL first":  "\x00" + valid,
		"JSON bomb":  `{"access_token": "x", "expires_at": 4000000000, "bomb": ` + strings.Repeat("[", 1<<19),
		"array":      `[` + valid + `]`,
		"no expiry":  `{"access_token": "planted"}`,
	} {
		t.Run(name, func(t *testing.T) {
			name := newName(t)
			s := open(t, name)
			plant(t, dir+name, []byte(data), 0o600)
			if _, err := s.Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
				t.Errorf("Load: %v, want ErrNotShared", err)
			}
			must(t, s.Publish(t.Context(), token(t, "ours")))
			wantLoad(t, s, token(t, "ours"))
			must(t, shm.Remove(t.Context(), name))
		})
	}
}

// TestFull fills shared memory: the old token stays and the error says why.
func TestFull(t *testing.T) {
	startChild(t, "fill", "full", inNamespaces)
}

// inNamespaces starts a process in a user namespace and a mount namespace of its own.
func inNamespaces(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
	}
}

// fillUp runs in a mount namespace of its own.
func fillUp(ctx context.Context, s *shm.Store) error {
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	old, err := parseToken("old")
	if err != nil {
		return err
	}
	long, err := parseToken(strings.Repeat("l", 512<<10))
	if err != nil {
		return err
	}
	if err := s.Publish(ctx, old); err != nil {
		return err
	}
	if _, err := s.Watch(ctx, shsession.Account{ClientID: "client"}); err != nil {
		return err
	}
	if err := s.Publish(ctx, long); !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("Publish to a full store: %w", err)
	}
	got, err := s.Load(ctx)
	if err != nil || !got.Equal(old) {
		return fmt.Errorf("Load from a full store: %w", err)
	}
	entries, err := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, os.DirEntry.IsDir) // of the locks
	if err == nil && len(entries) != 3 {
		err = fmt.Errorf("the failed Publish left something: %v", entries)
	}
	return err
}
