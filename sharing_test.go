package shsession_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

func share(t *testing.T, s *shsession.Session, sinks ...shsession.Sink) *shsession.Sharing {
	t.Helper()
	sh, err := shsession.Share(t.Context(), s, sinks...)
	if err != nil {
		t.Fatalf("Share: %v", err)
	}
	t.Cleanup(func() { sh.Close() })
	return sh
}

func join(t *testing.T, cfg shsession.Config, store shsession.Store) *shsession.Session {
	t.Helper()
	s, err := shsession.Join(cfg, store)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantShared checks that a store holds a valid token, and returns it.
func wantShared(t *testing.T, store shsession.Store) shsession.Token {
	t.Helper()
	token, err := store.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if token.Remaining() <= 0 {
		t.Errorf("an expired token is shared: %v", token)
	}
	return token
}

func wantNothingShared(t *testing.T, store shsession.Store) {
	t.Helper()
	if _, err := store.Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("Load after the end: %v, want ErrNotShared", err)
	}
}

// A shared token stays fresh for hours, for followers and for those who collect, with one
// login a life.
func TestShareAndFollow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), &store)
		followers := make([]*shsession.Session, 20)
		for i := range followers {
			followers[i] = shsession.Follow(store.Handle())
		}
		for range 6 * 60 * 2 {
			wantShared(t, &store)
			for _, f := range followers {
				mustToken(t, f)
			}
			collected, err := shsession.Collect(t.Context(), store.Handle())
			if err != nil {
				t.Fatal(err)
			}
			mustToken(t, collected)
			time.Sleep(30 * time.Second)
		}
		if n := service.Counters().TokenRequests; n > 6*60/8+1 {
			t.Errorf("%d logins in six hours of ten-minute tokens", n)
		}
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
		wantNothingShared(t, &store)
	})
}

func TestShareRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		var store storetest.Memory
		s := newSession(t, cfg)
		if _, err := shsession.Share(t.Context(), shsession.FromToken(mustToken(t, s)), &store); !errors.Is(err, shsession.ErrNotRefreshing) {
			t.Errorf("sharing a fixed token: %v, want ErrNotRefreshing", err)
		}
		// The first login fails: an error, not a hang, and nothing left behind.
		cfg.ClientSecret = shsession.NewSecret("wrong")
		var auth *shsession.AuthError
		if _, err := shsession.Share(t.Context(), newSession(t, cfg), &store); !errors.As(err, &auth) {
			t.Errorf("sharing with a wrong secret: %v, want the AuthError", err)
		}
		service.Inject(identity.MustParseFault("hang"), 0)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, fresh := newService(t, time.Hour)
		fresh.HTTPClient.Transport = service.RoundTripper()
		if _, err := shsession.Share(ctx, newSession(t, fresh), &store); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("sharing with a service that hangs: %v, want the deadline", err)
		}
		wantNothingShared(t, &store)
		time.Sleep(10 * time.Minute) // for the flight to end
	})
}

// Without a sink a Sharing keeps the token fresh, for as long as it runs.
func TestShareWithoutSinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		s := newSession(t, cfg)
		sh := share(t, s)
		time.Sleep(time.Hour + 30*time.Second)
		if status := s.Status(); status.State != shsession.Fresh {
			t.Errorf("the session is %v after an hour", status.State)
		}
		if n := service.Counters().TokenRequests; n > 8 {
			t.Errorf("%d logins in an hour of ten-minute tokens", n)
		}
		if err := sh.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A Sharing that may wait begins when its source has a token.
func TestShareWaitsForItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		var cluster, machine storetest.Memory
		waiting := shsession.ShareConfig{Wait: true}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := waiting.Share(ctx, shsession.Follow(&cluster), &machine); !errors.Is(err, shsession.ErrNotShared) {
			t.Errorf("Share = %v when its time is up, want ErrNotShared", err)
		}
		if took := time.Minute; ctx.Err() == nil {
			t.Errorf("Share didn't wait for %v", took)
		}
		time.AfterFunc(time.Minute, func() { share(t, newSession(t, cfg), cluster.Handle()) })
		sh, err := waiting.Share(t.Context(), shsession.Follow(&cluster), &machine)
		if err != nil {
			t.Fatal(err)
		}
		wantShared(t, &machine)
		sh.Close()
		cfg.ClientSecret = shsession.NewSecret("wrong")
		var auth *shsession.AuthError
		if _, err := waiting.Share(t.Context(), newSession(t, cfg)); !errors.As(err, &auth) {
			t.Errorf("Share with a wrong secret = %v, want the AuthError at once", err)
		}
	})
}

// brokenSink fails when told to.
type brokenSink struct {
	storetest.Memory
	mu     sync.Mutex // guards broken
	broken bool
}

func (b *brokenSink) breakIt(broken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = broken
}

func (b *brokenSink) Publish(ctx context.Context, token shsession.Token) error {
	b.mu.Lock()
	broken := b.broken
	b.mu.Unlock()
	if broken {
		return errors.New("out of order")
	}
	return b.Memory.Publish(ctx, token)
}

// One sink that can't take the token is an error of Share, which leaves the others empty.
func TestShareIsAllOrNothing(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	var good storetest.Memory
	bad := &brokenSink{broken: true}
	if _, err := shsession.Share(t.Context(), newSession(t, cfg), &good, bad); err == nil {
		t.Fatal("Share worked with a sink that didn't")
	}
	wantNothingShared(t, &good)
}

// A sink that fails later is tried again, the others go on, and Status says so.
func TestSinkFailsAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		var good storetest.Memory
		bad := &brokenSink{}
		sh := share(t, newSession(t, cfg), &good, bad)
		bad.breakIt(true)
		time.Sleep(time.Hour)
		wantShared(t, &good)
		status := sh.Status()
		if len(status.Sinks) != 2 || status.Sinks[0].Err != nil || status.Sinks[1].Err == nil {
			t.Errorf("status: %+v", status.Sinks)
		}
		bad.breakIt(false)
		time.Sleep(3 * time.Second)
		wantShared(t, bad)
		if err := sh.Status().Sinks[1].Err; err != nil {
			t.Errorf("the status still has %v", err)
		}
		sh.Close()
	})
}

// A failing renewal never ends a Sharing: the last token stays while it's valid, and a
// new one comes when the service is back, even long after.
func TestSharingOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"503", "401", "html"} {
		synctest.Test(t, func(t *testing.T) {
			service, cfg := newService(t, 10*time.Minute)
			var store storetest.Memory
			sh := share(t, newSession(t, cfg), &store)
			first := wantShared(t, &store)
			service.Inject(identity.MustParseFault(fault), 0)
			time.Sleep(9 * time.Minute)
			if got := wantShared(t, &store); !got.Equal(first) {
				t.Errorf("%s: another token is shared during the outage", fault)
			}
			if status := sh.Status().Session; status.LastError == nil || status.Failures == (shsession.Failures{}) {
				t.Errorf("%s: the status tells of no failure: %+v", fault, status)
			}
			time.Sleep(3 * time.Hour)
			if n := service.Counters().TokenRequests; n > 3*60*3 {
				t.Errorf("%s: %d requests during the outage", fault, n)
			}
			service.Clear()
			time.Sleep(90 * time.Second)
			wantShared(t, &store)
			sh.Close()
		})
	}
}

// What something else removes is put back at once, and what it replaces, soon.
func TestSharingPutsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), &store)
		first := wantShared(t, &store)
		store.Remove()
		if got := wantShared(t, &store); !got.Equal(first) {
			t.Error("another token was put back")
		}
		other := store.Handle()
		if err := other.Publish(t.Context(), tokenOf(t, jwt(`{"azp":"another-client"}`))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := wantShared(t, &store); !got.Equal(first) {
			t.Error("another client's token took the place of the shared one")
		}
		if got := sh.Status().Sinks[0].Restored; got != 1 {
			t.Errorf("restored %d times, want 1", got)
		}
		sh.Close()
	})
}

// Two sharers of one client serve one token, take turns at renewing it, and no reader
// notices when one of them closes.
func TestTwoSharers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		a := share(t, newSession(t, cfg), &store)
		b := share(t, newSession(t, cfg), store.Handle())
		follower := shsession.Follow(store.Handle())
		for range 2 * 60 * 60 {
			wantShared(t, &store)
			mustToken(t, follower)
			time.Sleep(time.Second)
		}
		if n := service.Counters().TokenRequests; n > 2*60/8+1 {
			t.Errorf("%d logins by two sharers in two hours of ten-minute tokens", n)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		for range 60 * 60 {
			wantShared(t, &store)
			time.Sleep(time.Second)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		wantNothingShared(t, &store)
	})
}

// A mirror brings one store's token to another, without credentials.
func TestMirror(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var cluster, machine storetest.Memory
		sh := share(t, newSession(t, cfg), &cluster)
		mirror := share(t, shsession.Follow(cluster.Handle()), &machine)
		for range 2 * 60 * 60 {
			wantShared(t, &machine)
			time.Sleep(time.Second)
		}
		if n := service.Counters().TokenRequests; n > 2*60/8+1 {
			t.Errorf("%d logins in two hours", n)
		}
		mirror.Close()
		wantNothingShared(t, &machine)
		sh.Close()
	})
}

func TestShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		slow := &slowSink{}
		sh := share(t, newSession(t, cfg), slow)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if err := sh.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("Shutdown = %v after %v, want the deadline", err, time.Since(start))
		}
		if err := sh.Close(); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 10*time.Second {
			t.Errorf("Close = %v after %v, want the sink's error", err, time.Since(start))
		}
	})
}

// slowSink never finishes a withdrawal by itself.
type slowSink struct{}

func (*slowSink) Publish(context.Context, shsession.Token) error { return nil }
func (*slowSink) Withdraw(ctx context.Context) error             { <-ctx.Done(); return ctx.Err() }

// Renewing a shared session by force is published at once.
func TestRenewIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		var store storetest.Memory
		for _, s := range []*shsession.Session{newSession(t, cfg), join(t, cfg, store.Handle())} {
			sh := share(t, s, &store)
			before := wantShared(t, &store)
			renewed, err := s.Renew(t.Context())
			if err != nil || renewed.Equal(before) {
				t.Fatalf("Renew: %v", err)
			}
			synctest.Wait()
			if got := wantShared(t, &store); !got.Equal(renewed) {
				t.Error("the renewed token isn't what is shared")
			}
			sh.Close()
		}
	})
}
