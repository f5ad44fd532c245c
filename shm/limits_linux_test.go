package shm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// limitEnv names the limit that is 0 for the process that has it.
const limitEnv = "SHM_TEST_LIMIT"

// limits are those of inotify: what the kernel says, and what a user can raise.
var limits = map[string]struct {
	err   error
	raise string
}{
	"max_inotify_watches":   {unix.ENOSPC, "fs.inotify.max_user_watches"},
	"max_inotify_instances": {unix.EMFILE, "fs.inotify.max_user_instances"},
}

// TestLimited runs the tests of Watch in processes for which inotify has no watch left,
// or no instance. WatchRestores takes a second for each of nine times, and is left out.
func TestLimited(t *testing.T) {
	t.Parallel()
	for limit := range limits {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("/proc/self/exe", "-test.run=^(TestStore|TestWatchLimited)$/^Watch[^R]", "-test.v")
			cmd.Env = append(os.Environ(), childEnv+"=limited", nameEnv+"=none", limitEnv+"="+limit)
			inNamespaces(cmd)
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Count(string(out), "\n--- PASS") != 2 || strings.Contains(string(out), "SKIP") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}

// testLimited sets the limit for this process's user namespace and becomes a test.
func testLimited() error {
	if err := os.WriteFile("/proc/sys/user/"+os.Getenv(limitEnv), []byte("0"), 0); err != nil {
		return err
	}
	os.Unsetenv(childEnv)
	return unix.Exec("/proc/self/exe", os.Args, os.Environ())
}

// TestWatchLimited: a Watch that inotify can't help goes on, and says so.
func TestWatchLimited(t *testing.T) {
	limit, isLimited := limits[os.Getenv(limitEnv)]
	name := newName(t)
	s := open(t, name)
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	must(t, err)
	defer w.Stop()
	err = w.(interface{ Limited() error }).Limited()
	switch {
	case !isLimited:
		if err != nil {
			t.Errorf("Limited: %v", err)
		}
	case !errors.Is(err, limit.err) || !strings.Contains(err.Error(), limit.raise):
		t.Errorf("Limited: %v, want one that names %s", err, limit.raise)
	case strings.Contains(err.Error(), "no shared memory"):
		t.Errorf("Limited: %v", err)
	}
}

// TestNoDescriptors has a process that can open no more files.
func TestNoDescriptors(t *testing.T) {
	name := newName(t)
	must(t, open(t, name).Publish(t.Context(), token(t, "ours")))
	startChild(t, "no descriptors", name)
	must(t, shm.Remove(t.Context(), name))
}

func withoutDescriptors(ctx context.Context, s *shm.Store) error {
	_, unlock, err := s.TryLock(ctx, nil) // for which the Go runtime opens files of its own
	if err != nil {
		return err
	}
	unlock(shsession.Note{})
	limit := unix.Rlimit{Cur: 64, Max: 64}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	for {
		if _, err := unix.Dup(0); err != nil {
			break
		}
	}
	t, err := parseToken("next")
	if err != nil {
		return err
	}
	for what, call := range map[string]func() error{
		"Load":    func() error { _, err := s.Load(ctx); return err },
		"Publish": func() error { return s.Publish(ctx, t) },
		"TryLock": func() error { _, _, err := s.TryLock(ctx, nil); return err },
		"Watch":   func() error { _, err := s.Watch(ctx, shsession.Account{}); return err },
		"Sharers": func() error { _, _, err := s.Sharers(ctx); return err },
		"List":    func() error { _, err := shm.List(ctx); return err },
		"Sweep":   func() error { return shm.Sweep(ctx) },
	} {
		err := call()
		if !errors.Is(err, unix.EMFILE) || errors.Is(err, shsession.ErrNotShared) || strings.Contains(err.Error(), "no shared memory") {
			return fmt.Errorf("%s without a descriptor: %v", what, err)
		}
	}
	return nil
}
