package shsession_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// Any number of equal members make one login, and again at each expiry.
func TestJoin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		service.AddRule(identity.Rule{Fault: identity.MustParseFault("slow:2s")})
		var store storetest.Memory
		members := make([]*shsession.Session, 64)
		for i := range members {
			members[i] = join(t, cfg, store.Handle())
		}
		for life := range int64(10) {
			var asking sync.WaitGroup
			for _, m := range members {
				asking.Go(func() { mustToken(t, m) })
			}
			asking.Wait()
			if n := service.Counters().TokenRequests; n != life+1 {
				t.Fatalf("%d logins in %d lives", n, life+1)
			}
			time.Sleep(10 * time.Minute)
		}
	})
}

// While the service is down, members don't each have a try of their own all the time, and
// none sees an error while the token is valid.
func TestJoinDuringAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		members := make([]*shsession.Session, 30)
		for i := range members {
			members[i] = join(t, cfg, store.Handle())
			mustToken(t, members[i])
		}
		service.Inject(identity.MustParseFault("503"), 0)
		begin := time.Now()
		for time.Since(begin) < 10*time.Minute-11*time.Second {
			for _, m := range members {
				mustToken(t, m)
			}
			time.Sleep(time.Second)
		}
		if n := service.Counters().TokenRequests; n > 60 {
			t.Errorf("%d requests by 30 members in a window of two minutes", n)
		}
		service.Clear()
		time.Sleep(time.Minute)
		before := service.Counters().TokensIssued
		var asking sync.WaitGroup
		for _, m := range members {
			asking.Go(func() { mustTokenSoon(t, m) })
		}
		asking.Wait()
		if n := service.Counters().TokensIssued - before; n > 1 {
			t.Errorf("%d logins after the outage, want 1", n)
		}
	})
}

// Nobody logs in past a store that can't be reached: every member would.
func TestJoinWithoutTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		store := &deadStore{}
		s := join(t, cfg, store)
		for range 100 {
			if _, err := s.Token(t.Context()); !errors.Is(err, errDead) {
				t.Errorf("Token = %v, want the store's error", err)
			}
		}
		if n := service.Counters().TokenRequests; n != 0 {
			t.Errorf("%d logins past the store", n)
		}
		store.revive()
		start := time.Now()
		mustToken(t, s)
		if took := time.Since(start); took > time.Second {
			t.Errorf("recovery took %v", took)
		}
	})
}

// A store that hangs in the middle of a turn delays the token that was fetched, and no
// more.
func TestJoinWithAStoreThatHangs(t *testing.T) {
	for _, loads := range []int{1, 1000} { // then it hangs: when looked at again, or published to
		synctest.Test(t, func(t *testing.T) {
			_, cfg := newService(t, 10*time.Minute)
			s := join(t, cfg, &hangingStore{loads: loads})
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			_, err := s.Token(ctx)
			if ctx.Err() != nil || loads > 1 && err != nil {
				t.Errorf("after %d readings: %v", loads, err)
			}
		})
	}
}

// hangingStore hangs when something is published to it, and after some readings.
type hangingStore struct {
	storetest.Memory
	loads int
}

func (h *hangingStore) Load(ctx context.Context) (shsession.Token, error) {
	if h.loads--; h.loads < 0 {
		<-ctx.Done()
	}
	return h.Memory.Load(ctx)
}

func (h *hangingStore) Publish(ctx context.Context, _ shsession.Token) error {
	<-ctx.Done()
	return ctx.Err()
}

// A token that the server refused is replaced once for all who hold it.
func TestJoinAfterRejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		var store storetest.Memory
		members := make([]*shsession.Session, 20)
		for i := range members {
			members[i] = join(t, cfg, store.Handle())
		}
		refused := mustToken(t, members[0])
		for _, m := range members {
			if got := mustToken(t, m); !got.Equal(refused) {
				t.Fatal("members have different tokens")
			}
		}
		for _, m := range members {
			m.Reject(refused)
			if got := mustToken(t, m); got.Equal(refused) {
				t.Error("the refused token came again")
			}
		}
		if n := service.Counters().TokenRequests; n != 2 {
			t.Errorf("%d logins, want 2", n)
		}
	})
}

func TestJoinTokenFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		var store storetest.Memory
		a, b := join(t, cfg, store.Handle()), join(t, cfg, store.Handle())
		mustToken(t, a)
		time.Sleep(30 * time.Minute)
		mustToken(t, b)
		long, err := a.TokenFor(t.Context(), 45*time.Minute)
		if err != nil || long.Remaining() < 45*time.Minute {
			t.Fatalf("TokenFor = %v, %v", long, err)
		}
		if got, err := b.TokenFor(t.Context(), 45*time.Minute); err != nil || !got.Equal(long) {
			t.Errorf("the other member got (%v, %v), want the token that is there", got, err)
		}
		if n := service.Counters().TokenRequests; n != 2 {
			t.Errorf("%d logins, want 2", n)
		}
	})
}

// A holder of the lock that was stopped, not killed, keeps it; after some patience the
// others go on without it.
func TestJoinPastAStoppedHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		var store storetest.Memory
		_, unlock, err := store.Handle().TryLock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock(shsession.Note{})
		var asking sync.WaitGroup
		for range 20 {
			member := join(t, cfg, store.Handle())
			asking.Go(func() { mustTokenSoon(t, member) })
		}
		asking.Wait()
		if n := service.Counters().TokenRequests; n > 3 {
			t.Errorf("%d logins by 20 members, want about 1", n)
		}
	})
}

// A store that keeps tokens by another clock gives the same token a slightly different expiry
// at each reading. A member whose token has expired waits for the process that renews it,
// even if the store's copy of that token lives a moment longer.
func TestJoinByTheStoresClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Second)
		store := &driftingStore{}
		s := join(t, cfg, store)
		old := mustToken(t, s)
		held, unlock, err := store.TryLock(t.Context(), func(shsession.Note) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(11*time.Second, func() {
			defer unlock(shsession.Note{})
			fresh, err := newSession(t, cfg).Token(held)
			if err == nil {
				err = store.Publish(held, fresh)
			}
			if err != nil {
				t.Error(err)
			}
		})
		for start := time.Now(); time.Since(start) < 12*time.Second; time.Sleep(time.Millisecond) {
			mustToken(t, s)
		}
		if mustToken(t, s).Equal(old) {
			t.Error("the token wasn't replaced")
		}
	})
}

// driftingStore reads a token with an expiry that is later each time.
type driftingStore struct {
	storetest.Memory
	drift atomic.Int64
}

func (d *driftingStore) Load(ctx context.Context) (shsession.Token, error) {
	t, err := d.Memory.Load(ctx)
	return t.WithExpiry(t.ExpiresAt().Add(time.Duration(d.drift.Add(1)) * 100 * time.Millisecond)), err
}
