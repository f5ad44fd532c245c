package shm_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// find returns the segment of that name from List.
func find(t *testing.T, name string) (shm.Segment, bool) {
	t.Helper()
	segments, err := shm.List(t.Context())
	must(t, err)
	for _, segment := range segments {
		if segment.Name == name {
			return segment, true
		}
	}
	return shm.Segment{}, false
}

func TestList(t *testing.T) {
	name := newName(t)
	if _, ok := find(t, name); ok {
		t.Fatal("a segment is listed that doesn't exist")
	}
	sharer := startChild(t, "share", name)
	segment, ok := find(t, name)
	want := []shsession.Sharer{{PID: sharer.Process.Pid, Account: shsession.Account{ClientID: "client"}}}
	if !ok || segment.Orphan || !cmp.Equal(segment.Sharers, want) || !segment.Token.Equal(token(t, "shared")) {
		t.Errorf("List: %+v, want a segment with the sharers %v", segment, want)
	}
	if age := time.Since(segment.Modified); age < -time.Second || age > time.Minute {
		t.Errorf("the segment is %v old", age)
	}
	sharer.Kill()
	segment, ok = find(t, name)
	if !ok || !segment.Orphan || len(segment.Sharers) != 0 {
		t.Errorf("List after the sharer was killed: %+v, want an orphan", segment)
	}
	must(t, shm.Remove(t.Context(), name))
	if _, ok := find(t, name); ok {
		t.Error("a segment is listed that was removed")
	}
}

// TestListLongNames tells two segments apart whose names differ only where the names of
// the files beside them have no room for that.
func TestListLongNames(t *testing.T) {
	start := newName(t) + "-long"
	name := (start + strings.Repeat("x", 254))[:254]
	shared, cached := open(t, name+"a"), open(t, name+"b")
	must(t, shared.Publish(t.Context(), token(t, "long")))
	must(t, cached.Publish(t.Context(), token(t, "long")))
	watch, err := shared.Watch(t.Context(), shsession.Account{ClientID: "client"})
	must(t, err)
	if segment, ok := find(t, name+"a"); !ok || len(segment.Sharers) != 1 {
		t.Errorf("the shared one has the sharers %v, want one", segment.Sharers)
	}
	if segment, ok := find(t, name+"b"); !ok || len(segment.Sharers) != 0 {
		t.Errorf("the other has the sharers %v, want none", segment.Sharers)
	}
	watch.Stop()
	must(t, shared.Withdraw(t.Context()))
	must(t, shm.Remove(t.Context(), name+"b"))
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if strings.Contains(e.Name(), start) {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// TestListCache lists a segment that nobody shares but that isn't an orphan.
func TestListCache(t *testing.T) {
	name := newName(t)
	must(t, open(t, name).Publish(t.Context(), token(t, "cached")))
	segment, ok := find(t, name)
	if !ok || segment.Orphan || len(segment.Sharers) != 0 {
		t.Errorf("List: %+v, want a segment without sharers", segment)
	}
	must(t, shm.Remove(t.Context(), name))
}

// TestNames finds a note of a failed login, and locks, where there is no token, and no file that
// isn't a Store's.
func TestNames(t *testing.T) {
	name, locked, long, psm := newName(t), newName(t), newName(t)+strings.Repeat("x", 200), newName(t)
	plant(t, dir+psm, []byte("\x00\x01\x02 a numpy array"), 0o600)
	defer remove(t, dir+psm)
	for _, name := range []string{name, long} {
		_, unlock, err := open(t, name).TryLock(t.Context(), nil)
		must(t, err)
		unlock(shsession.Note{Until: time.Now().Add(time.Minute), Status: 503})
	}
	must(t, os.Remove(lockPath(name, "lock")))
	_, unlock, err := open(t, locked).TryLock(t.Context(), nil)
	must(t, err)
	unlock(shsession.Note{})
	for _, want := range []bool{true, false} {
		names, err := shm.Names(t.Context())
		must(t, err)
		if note, lock := slices.Contains(names, name), slices.Contains(names, locked); note != want || lock != want {
			t.Errorf("the names of a note and of a lock are there: %v, %v; want %v", note, lock, want)
		}
		for _, n := range names {
			if n == psm || strings.HasPrefix(n, long[:50]) {
				t.Errorf("Names returns %s", n)
			}
		}
		for _, name := range []string{name, locked, long} {
			if err := shm.Remove(t.Context(), name); !errors.Is(err, shsession.ErrNotShared) {
				t.Errorf("Remove: %v", err)
			}
		}
	}
}

// TestListIgnores plants what isn't a token: List neither returns it nor blocks.
func TestListIgnores(t *testing.T) {
	fifo, psm, long := newName(t), newName(t), newName(t)
	must(t, unix.Mkfifo(dir+fifo, 0o600))
	defer remove(t, dir+fifo)
	plant(t, dir+psm, []byte("\x00\x01\x02 a numpy array"), 0o600)
	defer remove(t, dir+psm)
	plant(t, dir+long, []byte(valid+strings.Repeat(" ", 2<<20)), 0o600)
	defer remove(t, dir+long)
	for _, name := range []string{fifo, psm, long} {
		if segment, ok := find(t, name); ok {
			t.Errorf("List returned %+v", segment)
		}
	}
}

func TestRemove(t *testing.T) {
	name := newName(t)
	if err := shm.Remove(t.Context(), name); !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("Remove of nothing: %v, want ErrNotShared", err)
	}
	plant(t, dir+name, []byte("no token"), 0o666)
	_, unlock, err := open(t, name).TryLock(t.Context(), nil)
	must(t, err)
	must(t, shm.Remove(t.Context(), name))
	if _, _, err := open(t, name).TryLock(t.Context(), nil); !errors.Is(err, shsession.ErrLocked) {
		t.Errorf("TryLock of a lock that was held during Remove: %v", err)
	}
	unlock(shsession.Note{Until: time.Now().Add(time.Minute), Status: 503})
	if err := shm.Remove(t.Context(), name); !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("Remove of locks and a note: %v, want ErrNotShared", err)
	}
	for _, pattern := range []string{dir + "." + name + ".*", lockPath(name, "*")} {
		if left, err := filepath.Glob(pattern); err != nil || len(left) > 0 {
			t.Errorf("Remove leaves %v (%v)", left, err)
		}
	}

	if os.Geteuid() != 0 {
		return
	}
	plant(t, dir+name, []byte(valid), 0o600)
	must(t, os.Chown(dir+name, 12345, -1))
	defer remove(t, dir+name)
	var untrusted *shm.UntrustedError
	if err := shm.Remove(t.Context(), name); !errors.As(err, &untrusted) || untrusted.UID != 12345 {
		t.Errorf("Remove of another user's file: %v, want an UntrustedError", err)
	}
}

// TestStaleTemp removes what a process left that was killed while it published.
func TestStaleTemp(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	old, fresh := dir+"."+name+".shsession.temp.1-old", dir+"."+name+".shsession.temp.1-fresh"
	plant(t, old, []byte(valid), 0o600)
	plant(t, fresh, []byte(valid), 0o600)
	defer remove(t, fresh)
	must(t, os.Chtimes(old, time.Time{}, time.Now().Add(-time.Hour)))
	must(t, s.Publish(t.Context(), token(t, "token")))
	if _, err := os.Lstat(old); err == nil {
		t.Error("an old temp file is still there")
	}
	if _, err := os.Lstat(fresh); err != nil {
		t.Error("a fresh temp file, whose writer may live, was removed")
	}
	must(t, s.Withdraw(t.Context()))
}
