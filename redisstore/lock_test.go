package redisstore_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

const (
	lockKey  = "shsession:{name}:lock"
	fenceKey = "shsession:{name}:fence"
)

func lock(t *testing.T, s *redisstore.Store) (held context.Context, unlock context.CancelFunc) {
	t.Helper()
	held, release, err := s.TryLock(t.Context(), nil)
	if err != nil {
		t.Fatalf("TryLock: %v", err)
	}
	unlock = func() { release(shsession.Note{}) }
	t.Cleanup(unlock)
	return held, unlock
}

// eventuallyLock takes the lock when it becomes free.
func eventuallyLock(t *testing.T, s *redisstore.Store) {
	t.Helper()
	testkit.Eventually(t, "the lock is free", func() bool {
		_, unlock, err := s.TryLock(t.Context(), nil)
		if err != nil && !errors.Is(err, shsession.ErrLocked) {
			t.Fatalf("TryLock: %v", err)
		}
		if err == nil {
			t.Cleanup(func() { unlock(shsession.Note{}) })
		}
		return err == nil
	})
}

// wantDone waits until a lock is known to be lost.
func wantDone(t *testing.T, held context.Context) {
	t.Helper()
	testkit.Eventually(t, "held is done", func() bool { return held.Err() != nil })
}

func TestLeaseRenewed(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	ours, theirs := s.open(t, "name", steady()), s.open(t, "name", steady())
	held, unlock := lock(t, ours)
	left := func() int64 { return s.do(t, "PTTL", lockKey).Val().(int64) }
	for range 2 {
		before := left()
		testkit.Eventually(t, "the lease is renewed", func() bool {
			now := left()
			renewed := now > before
			before = now
			return renewed
		})
		if _, _, err := theirs.TryLock(t.Context(), nil); !errors.Is(err, shsession.ErrLocked) {
			t.Fatalf("TryLock of a taken lock: %v, want ErrLocked", err)
		}
	}
	if held.Err() != nil {
		t.Errorf("held is done while it is renewed: %v", context.Cause(held))
	}
	unlock()
	lock(t, theirs) // at once
}

// TestHolderDies cuts the holder's connection, as if its machine had died.
func TestHolderDies(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	proxy := startProxy(t, s.addr)
	ours := openURL(t, "redis://"+proxy.addr+"?key=name", brief())
	theirs := s.open(t, "name", steady())
	held, unlock := lock(t, ours)
	proxy.cut()
	eventuallyLock(t, theirs)
	wantDone(t, held) // by its own clock, since it can't ask
	unlock()
	proxy.mend()
	if err := ours.Publish(held, newToken(t, "late", time.Hour)); err == nil {
		t.Error("Publish after the lease is no error")
	}
}

// TestFence has a holder sleep through its lease and wake in the middle of Publish:
// the server refuses it, whatever the holder believes.
func TestFence(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	slow := steady()
	slow.Lease = time.Hour // the holder won't notice by itself
	sleeper, other, third := s.open(t, "name", slow), s.open(t, "name", steady()), s.open(t, "name", steady())
	held, _ := lock(t, sleeper)
	s.do(t, "PEXPIRE", lockKey, 1) // but Redis counts the lease out
	testkit.Eventually(t, "the lease ends", func() bool { return s.do(t, "EXISTS", lockKey).Val() == int64(0) })

	early := newToken(t, "early", time.Hour)
	if err := sleeper.Publish(held, early); err != nil {
		t.Errorf("Publish after the lease, when nobody has had the lock since: %v", err)
	}
	theirs, unlock := lock(t, other)
	newer := newToken(t, "newer", time.Hour)
	if err := other.Publish(theirs, newer); err != nil {
		t.Errorf("Publish by the holder: %v", err)
	}
	if err := sleeper.Publish(held, newToken(t, "older", time.Hour)); err == nil {
		t.Error("the sleeper replaced a newer token while another holds the lock")
	}
	unlock()
	if err := sleeper.Publish(held, newToken(t, "older", time.Hour)); err == nil {
		t.Error("the sleeper replaced a newer token after another held the lock")
	}
	if held.Err() != nil {
		t.Error("the sleeper noticed, so that this test shows nothing")
	}
	wantLife(t, third, newer, time.Hour)
}

// TestLockSurvivesFlush: a Redis without memory doesn't end a turn.
func TestLockSurvivesFlush(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	ours, theirs := s.open(t, "name", steady()), s.open(t, "name", steady())
	held, _ := lock(t, ours)
	s.do(t, "FLUSHALL")
	testkit.Eventually(t, "the lock is taken again", func() bool { return s.do(t, "EXISTS", lockKey, fenceKey).Val() == int64(2) })
	if _, _, err := theirs.TryLock(t.Context(), nil); !errors.Is(err, shsession.ErrLocked) {
		t.Errorf("TryLock: %v, want ErrLocked", err)
	}
	if err := ours.Publish(held, newToken(t, "token", time.Hour)); err != nil {
		t.Errorf("Publish by the holder: %v", err)
	}
}

// TestLockTakenMeanwhile: a holder whose lease ended doesn't take the lock again when
// another has had it since, though it is free.
func TestLockTakenMeanwhile(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	held, _ := lock(t, s.open(t, "name", brief()))
	s.do(t, "MSET", lockKey, "another", fenceKey, "another")
	s.do(t, "DEL", lockKey)
	wantDone(t, held)
	if n := s.do(t, "EXISTS", lockKey).Val(); n != int64(0) {
		t.Error("the lock was taken again")
	}
}

// TestServerHangs: a lock isn't believed in longer than Redis keeps it. Redis answers no
// script until the holder has noticed.
func TestServerHangs(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	ours := s.open(t, "name", brief())
	held, unlock := lock(t, ours)
	s.do(t, "CLIENT", "PAUSE", time.Hour.Milliseconds(), "WRITE")
	wantDone(t, held)
	s.do(t, "CLIENT", "UNPAUSE")
	unlock()
	eventuallyLock(t, ours)
}

// TestManyWant has members take turns, of which each sees what the one before it left.
func TestManyWant(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	var logins atomic.Int64
	service := newService(t, &logins)
	var sessions []*shsession.Session
	for range 20 {
		session, err := shsession.Join(service, s.open(t, "name", redisstore.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, session)
	}
	results := make(chan error)
	for _, session := range sessions {
		go func() {
			_, err := session.Token(t.Context())
			results <- err
		}()
	}
	for range sessions {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if n := logins.Load(); n != 1 {
		t.Errorf("%d members made %d logins, not 1", len(sessions), n)
	}
}
