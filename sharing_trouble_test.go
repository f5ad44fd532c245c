package shsession_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// A process that was stopped while it had the lock doesn't end a Sharing.
func TestSharingWithAStuckLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), &store)
		_, unlock, err := store.Handle().TryLock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 * 60 {
			wantShared(t, &store)
			time.Sleep(time.Second)
		}
		if n := service.Counters().TokenRequests; n > 60/8+1 {
			t.Errorf("%d logins in an hour of ten-minute tokens", n)
		}
		unlock(shsession.Note{})
		sh.Close()
	})
}

// To share twice by the same Store is a mistake that doesn't hurt the first Sharing.
func TestShareTwiceByOneStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		var store storetest.Memory
		s := newSession(t, cfg)
		sh := share(t, s, &store)
		if _, err := shsession.Share(t.Context(), s, &store); err == nil {
			t.Error("no error")
		}
		wantShared(t, &store)
		if _, err := shsession.Share(t.Context(), s, store.Handle(), &store); err == nil {
			t.Error("no error")
		}
		wantShared(t, &store)
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
		wantNothingShared(t, &store)
	})
}

// Tokens of a second are renewed twice a second, and what keeps a Sharing calm doesn't
// keep it from that.
func TestSharingShortLives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Second)
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), &store)
		for range 100 * 60 {
			if wantShared(t, &store); t.Failed() {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		sh.Close()
	})
}

// A Sharing whose program is renewing the token already waits for that without a spin.
func TestSharingWhileAnotherRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var store countingStore
		s := newSession(t, cfg)
		sh := share(t, s, &store)
		time.Sleep(8*time.Minute - 5*time.Second)
		service.Inject(identity.MustParseFault("hang"), 1)
		go s.TokenFor(t.Context(), 9*time.Minute)
		time.Sleep(5 * time.Second) // and now the token is due
		before := store.calls.Load()
		time.Sleep(20 * time.Second)
		if calls := store.calls.Load() - before; calls > 100 {
			t.Errorf("%d calls of the store in 20 s of waiting", calls)
		}
		time.Sleep(time.Minute)
		if got := wantShared(t, &store); got.Remaining() < 8*time.Minute {
			t.Error("the token wasn't renewed later")
		}
		sh.Close()
	})
}

// countingStore counts what is asked of it.
type countingStore struct {
	storetest.Memory
	calls atomic.Int64
}

func (c *countingStore) Load(ctx context.Context) (shsession.Token, error) {
	c.calls.Add(1)
	return c.Memory.Load(ctx)
}

func (c *countingStore) Publish(ctx context.Context, token shsession.Token) error {
	c.calls.Add(1)
	return c.Memory.Publish(ctx, token)
}

// Somebody who replaces the token without end doesn't get a Sharing to spin.
func TestSharingKeepsItsCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), &store)
		other := store.Handle()
		foreign := tokenOf(t, jwt(`{"azp":"another-client"}`))
		replaced := 0
		for range 10_000 {
			if got, err := other.Load(t.Context()); err == nil && !got.Equal(foreign) {
				replaced++
				if err := other.Publish(t.Context(), foreign); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(10 * time.Millisecond)
		}
		if replaced < 50 || replaced > 150 {
			t.Errorf("the token was put back %d times in 100 s, want about once a second", replaced)
		}
		sh.Close()
	})
}

// OnToken may close the Sharing that found the token, and Share doesn't wait for it.
func TestOnTokenClosesTheSharing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		var store storetest.Memory
		first := newSession(t, cfg)
		defer share(t, first, &store).Close()

		sharings, closed := make(chan *shsession.Sharing), make(chan struct{})
		cfg.OnToken = func(shsession.Token) {
			if sh := <-sharings; sh != nil {
				sh.Close()
				close(closed)
			}
		}
		sh := share(t, newSession(t, cfg), store.Handle())
		sharings <- nil // for the token that Share found
		time.Sleep(time.Minute)
		if _, err := first.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		sharings <- sh // for the one that its loop found
		<-closed
	})
}

// A token that is renewed while the one before is put back is published at once.
func TestRenewalDuringPublish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		sink := &lateSink{changed: make(chan struct{})}
		s := newSession(t, cfg)
		sh := share(t, s, sink)
		time.Sleep(5 * time.Minute)
		sink.changed <- struct{}{}
		time.Sleep(time.Second)
		want, err := s.Renew(t.Context())
		time.Sleep(5 * time.Second)
		if got := sink.token.Load(); err != nil || !got.Equal(want) {
			t.Errorf("the sink has %v, and the session %v, %v", got, want, err)
		}
		sh.Close()
	})
}

// A lateSink takes two seconds to publish.
type lateSink struct {
	changed chan struct{}
	token   atomic.Pointer[shsession.Token]
}

func (s *lateSink) Publish(ctx context.Context, t shsession.Token) error {
	time.Sleep(2 * time.Second)
	s.token.Store(&t)
	return nil
}

func (s *lateSink) Withdraw(context.Context) error { return nil }

func (s *lateSink) Watch(context.Context, shsession.Account) (shsession.Watch, error) { return s, nil }

func (s *lateSink) Changed() <-chan struct{} { return s.changed }

func (s *lateSink) Restored() uint64 { return 0 }

func (s *lateSink) Stop() {}
