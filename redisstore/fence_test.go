package redisstore_test

import (
	"testing"
	"time"

	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

// TestFenceLost has a holder sleep through its lease, as TestFence, and Redis forget
// meanwhile that another has had the lock since. The other's token, which a sharer has
// put back, stays.
func TestFenceLost(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	slow := steady()
	slow.Lease = time.Hour // the holder won't notice by itself, nor take the lock again
	sleeper, other := s.open(t, "name", slow), s.open(t, "name", steady())
	held, _ := lock(t, sleeper)
	s.do(t, "DEL", lockKey)

	theirs, unlock := lock(t, other)
	newer := newToken(t, "newer", 40*time.Minute)
	if err := other.Publish(theirs, newer); err != nil {
		t.Fatalf("Publish by the holder: %v", err)
	}
	unlock()
	w := watch(t, other)
	s.do(t, "FLUSHALL")
	testkit.Eventually(t, "the token is put back", func() bool { return w.Restored() == 1 })

	if err := sleeper.Publish(held, newToken(t, "older", 39*time.Minute)); err == nil {
		t.Error("the sleeper replaced a newer token")
	}
	wantLife(t, other, newer, 40*time.Minute)
	newest := newToken(t, "newest", 41*time.Minute)
	if err := sleeper.Publish(held, newest); err != nil { // it isn't known that anybody had the lock
		t.Errorf("Publish of a token that outlives the one there: %v", err)
	}
	wantLife(t, other, newest, 41*time.Minute)
	if err := sleeper.Publish(held, newest); err != nil {
		t.Errorf("Publish of the same token: %v", err)
	}
	if held.Err() != nil {
		t.Error("the sleeper noticed, so that this test shows nothing")
	}
}

// TestRetakeAfterLease: by the clock of a machine that was suspended, the lease hasn't
// ended. Redis counts it, and doesn't give a lock again that it can't tell who had since.
func TestRetakeAfterLease(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	for _, test := range []struct {
		what    string
		lease   time.Duration
		retaken bool
	}{
		{"within the lease", time.Minute, true},
		{"after it", time.Millisecond, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			store := s.open(t, "name", redisstore.Options{Lease: test.lease})
			end, err := store.Take(t.Context(), "holder", "")
			if err != nil {
				t.Fatal(err)
			}
			if !test.retaken {
				testkit.Eventually(t, "the lease ends", func() bool { return s.do(t, "EXISTS", lockKey).Val() == int64(0) })
			}
			s.do(t, "FLUSHALL")
			if _, err := store.Take(t.Context(), "holder", end); (err == nil) != test.retaken {
				t.Errorf("the lock is taken again: %v (%v)", err == nil, err)
			}
			if n := s.do(t, "EXISTS", lockKey, fenceKey).Val(); (n == int64(2)) != test.retaken {
				t.Errorf("there are %v of the lock and its fence", n)
			}
			s.do(t, "FLUSHALL")
		})
	}
}
