package storetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
)

func lock(t *testing.T, s shsession.Store) (held context.Context, unlock func()) {
	t.Helper()
	held, unlockWith, err := s.TryLock(t.Context(), nil)
	if err != nil {
		t.Fatalf("TryLock of a free lock: %v", err)
	}
	return held, func() { unlockWith(shsession.Note{}) }
}

// eventuallyFree fails unless the lock becomes free, with no note that keeps out.
func eventuallyFree(t *testing.T, s shsession.Store) {
	t.Helper()
	eventually(t, "the lock is free", func() bool {
		_, unlock, err := s.TryLock(t.Context(), nil)
		if err == nil {
			unlock(shsession.Note{})
		} else if !errors.Is(err, shsession.ErrLocked) {
			t.Fatalf("TryLock: %v", err)
		}
		return err == nil
	})
}

// wantLocked fails if the lock is free, and returns who has it.
func wantLocked(t *testing.T, s shsession.Store) (holder string) {
	t.Helper()
	_, unlock, err := s.TryLock(t.Context(), nil)
	if err == nil {
		unlock(shsession.Note{})
	}
	var locked *shsession.LockedError
	if !errors.Is(err, shsession.ErrLocked) || !errors.As(err, &locked) {
		t.Fatalf("TryLock of a taken lock: %v, want a LockedError", err)
	}
	return locked.Holder
}

func testLock(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	held, unlock := lock(t, ours)
	holder := wantLocked(t, theirs)
	if again := wantLocked(t, ours); again != holder {
		t.Errorf("one holder is called %q and %q", holder, again)
	}
	if err := held.Err(); err != nil {
		t.Errorf("held is done while the lock is held: %v", err)
	}
	token := newToken(t, "token")
	if err := ours.Publish(held, token); err != nil {
		t.Errorf("Publish by the holder: %v", err)
	}
	wantToken(t, theirs, token)

	unlock()
	if held.Err() == nil {
		t.Error("held isn't done after unlock")
	}
	unlock()
	_, unlockTheirs := lock(t, theirs)
	unlock() // a late unlock frees nobody else's lock
	if next := wantLocked(t, ours); next == holder {
		t.Errorf("two holders are called %q", next)
	}
	unlockTheirs()
	_, unlock = lock(t, ours)
	unlock()
}

func testLockContext(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	held, unlock, err := ours.TryLock(ctx, nil)
	if err != nil {
		t.Fatalf("TryLock: %v", err)
	}
	defer unlock(shsession.Note{})
	if held.Value(key{}) != "value" {
		t.Error("held doesn't have the values of TryLock's context")
	}
	cancel()
	if held.Err() == nil {
		t.Error("held isn't done after TryLock's context")
	}
	eventuallyFree(t, theirs)
}

func testLockContended(t *testing.T, s Setup) {
	const rounds = 20
	var holders, turns atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		store := s.Open()
		all.Go(func() {
			ticker := time.NewTicker(100 * time.Microsecond)
			defer ticker.Stop()
			for turns.Load() < rounds && t.Context().Err() == nil {
				_, unlock, err := store.TryLock(t.Context(), nil)
				switch {
				case err == nil:
					if holders.Add(1) > 1 {
						t.Error("two have the lock")
					}
					<-ticker.C
					turns.Add(1)
					holders.Add(-1)
					unlock(shsession.Note{})
				case !errors.Is(err, shsession.ErrLocked):
					t.Errorf("TryLock: %v", err)
					return
				}
				<-ticker.C
			}
		})
	}
	all.Wait()
}

// refused fails unless a Publish with held changes nothing and is an error.
func refused(t *testing.T, s shsession.Store, held context.Context) {
	t.Helper()
	there, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if err := s.Publish(held, newToken(t, "late")); err == nil {
		t.Error("Publish with a lock that was lost is no error")
	}
	wantToken(t, s, there)
}

func testLockStale(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	publish(t, theirs, newToken(t, "token"))
	held, unlock := lock(t, ours)
	unlock()
	_, unlockTheirs := lock(t, theirs)
	defer unlockTheirs()
	refused(t, ours, held)
}

func testLockLost(t *testing.T, s Setup) {
	if s.LoseLock == nil {
		t.Skip("this store's lock can't be lost")
	}
	ours, theirs := s.Open(), s.Open()
	publish(t, theirs, newToken(t, "token"))
	held, unlock := lock(t, ours)
	s.LoseLock()
	_, unlockTheirs := lock(t, theirs)
	defer unlockTheirs()
	refused(t, ours, held)
	eventually(t, "held is done after the lock was lost", func() bool { return held.Err() != nil })
	unlock()
	wantLocked(t, ours)
}
