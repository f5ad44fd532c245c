package shsession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// When a service is back after a long outage, the members who wait for their next attempt
// have the token within a second of the first.
func TestMembersAfterAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		service.Inject(identity.MustParseFault("503"), 0)
		time.AfterFunc(20*time.Minute, service.Clear)
		var first, last time.Time
		var mu sync.Mutex // guards both
		var asking sync.WaitGroup
		for range 10 {
			member := join(t, cfg, store.Handle())
			asking.Go(func() {
				for _, err := member.Token(t.Context()); err != nil; _, err = member.Token(t.Context()) {
					time.Sleep(100 * time.Millisecond)
				}
				mu.Lock()
				defer mu.Unlock()
				if last = time.Now(); first.IsZero() {
					first = last
				}
			})
		}
		asking.Wait()
		if late := last.Sub(first); late > time.Second {
			t.Errorf("the last member has the token %v after the first", late)
		}
		if n := service.Counters().TokenRequests; n > 20*60/4 { // RetryWait apart, whoever makes them
			t.Errorf("%d requests by ten members in twenty minutes of outage", n)
		}
		time.Sleep(5 * time.Minute) // for the last flights to end
	})
}

// Callers who wait for a login that is slow to come have the token that another sharer
// puts into the store.
func TestOfferedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var down atomic.Bool
		cfgA, healthy := cfg, service.RoundTripper()
		cfgA.HTTPClient = &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if down.Load() {
				return answer(503, "text/html", "").RoundTrip(r)
			}
			return healthy.RoundTrip(r)
		})}
		var store storetest.Memory
		a := newSession(t, cfgA)
		shA := share(t, a, &store)
		down.Store(true)
		time.Sleep(12 * time.Minute)
		got := make(chan time.Time, 1)
		go func() {
			for _, err := a.Token(t.Context()); err != nil; _, err = a.Token(t.Context()) {
			}
			got <- time.Now()
		}()
		time.Sleep(3 * time.Minute)
		shB := share(t, newSession(t, cfg), store.Handle())
		shared := time.Now()
		if waited := (<-got).Sub(shared); waited > 2*time.Second {
			t.Errorf("the caller waited %v for a token that was shared", waited)
		}
		if status := a.Status(); status.State != shsession.Fresh || status.LastError != nil {
			t.Errorf("the session is %v, and its last error %v", status.State, status.LastError)
		}
		shA.Close()
		shB.Close()
		time.Sleep(5 * time.Minute)
	})
}

// Sharers that start at once make one login, and an outage that ends another.
func TestSharersTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		service.AddRule(identity.Rule{Fault: identity.MustParseFault("slow:2s")})
		var store storetest.Memory
		sharings := make([]*shsession.Sharing, 5)
		var starting sync.WaitGroup
		for i := range sharings {
			s, handle := newSession(t, cfg), store.Handle()
			starting.Go(func() {
				var err error
				if sharings[i], err = shsession.Share(t.Context(), s, handle); err != nil {
					t.Error(err)
				}
			})
		}
		starting.Wait()
		if n := service.Counters().TokenRequests; n != 1 {
			t.Errorf("%d logins by five sharers that start together", n)
		}
		service.Clear()
		service.Inject(identity.MustParseFault("503"), 0)
		time.Sleep(30 * time.Minute)
		if n := service.Counters().TokenRequests; n > 200 {
			t.Errorf("%d requests by five sharers in half an hour of outage", n)
		}
		before := service.Counters().TokensIssued
		service.Clear()
		time.Sleep(3 * time.Minute)
		if n := service.Counters().TokensIssued - before; n != 1 {
			t.Errorf("%d logins when the outage was over", n)
		}
		for _, sh := range sharings {
			sh.Close()
		}
		time.Sleep(10 * time.Minute)
	})
}

// Members pass a stopped holder of the lock by one after the other; and soon, if it was
// seen to be stopped before the token ended.
func TestMembersPassAStoppedHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		service.AddRule(identity.Rule{Fault: identity.MustParseFault("slow:1s")})
		var store storetest.Memory
		members := make([]*shsession.Session, 40)
		for i := range members {
			members[i] = join(t, cfg, store.Handle())
			mustToken(t, members[i])
		}
		_, unlock, err := store.Handle().TryLock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock(shsession.Note{})
		var asking sync.WaitGroup
		for _, m := range members {
			asking.Go(func() {
				for begin := time.Now(); time.Since(begin) < 15*time.Minute; time.Sleep(time.Second) {
					asked := time.Now()
					mustToken(t, m)
					if waited := time.Since(asked); waited > 25*time.Second {
						t.Errorf("a caller waited %v", waited)
					}
				}
			})
		}
		asking.Wait()
		if n := service.Counters().TokenRequests; n > 1+20 { // by chance 2 to 10
			t.Errorf("%d logins by 40 members who passed by a holder that was stopped", n)
		}
		time.Sleep(5 * time.Minute)
	})
}

// Five hundred members that start while the holder of the lock is stopped log in a few times,
// as few members do.
func TestManyMembersPassAStoppedHolder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		service.AddRule(identity.Rule{Fault: identity.MustParseFault("slow:1s")})
		var store storetest.Memory
		_, unlock, err := store.Handle().TryLock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock(shsession.Note{})
		var asking sync.WaitGroup
		for range 500 {
			m := join(t, cfg, store.Handle())
			asking.Go(func() { mustToken(t, m) })
		}
		asking.Wait()
		if n := service.Counters().TokenRequests; n > 15 { // by chance 1 to 5
			t.Errorf("%d logins by members who passed by a holder that was stopped", n)
		}
	})
}

// However often a server refuses tokens, callers don't wait while there is one to try.
func TestRefusalsDontOutliveTheToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		for range 40 {
			token := mustToken(t, s)
			time.Sleep(29 * time.Minute)
			s.Reject(token)
			for mustToken(t, s).Equal(token) {
				asked := time.Now()
				mustToken(t, s)
				if waited := time.Since(asked); waited > 0 {
					t.Fatalf("a caller waited %v, and the service was there all the time", waited)
				}
				time.Sleep(time.Second)
			}
		}
	})
}

// A cache before the endpoint hands out one JWT again and again: it isn't valid for longer
// than it says.
func TestTheSameJWTAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const cached = 90 * time.Minute
		var token string
		var end time.Time
		requests := 0
		s := newSession(t, configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			requests++
			if now := time.Now(); now.Add(10 * time.Second).After(end) {
				end = now.Add(cached)
				token = jwt(fmt.Sprintf(`{"azp":%q,"iat":%d,"exp":%d}`, clientID, now.Unix(), end.Unix()))
			}
			return answer(200, "application/json", fmt.Sprintf(`{"access_token":%q,"expires_in":3600}`, token)).RoundTrip(r)
		})))
		for begin := time.Now(); time.Since(begin) < 10*time.Hour; time.Sleep(10 * time.Second) {
			got, err := s.Token(t.Context())
			if err != nil {
				continue // at the worst a login that brings the old one again
			}
			if claims, err := got.Claims(); err != nil || claims.ExpiresAt.Before(time.Now()) {
				t.Fatalf("a token that ended at %v was returned at %v", claims.ExpiresAt, time.Now())
			}
		}
		if requests > 10*60 {
			t.Errorf("%d requests in ten hours", requests)
		}
	})
}

// Who asks for a long life of a cold session takes nobody else along, and makes no login
// that the store saves.
func TestColdTokenFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		var store storetest.Memory
		mustToken(t, join(t, cfg, store.Handle()))
		time.Sleep(30 * time.Minute)
		for _, s := range []*shsession.Session{join(t, cfg, store.Handle()), shsession.Follow(store.Handle())} {
			service.Inject(identity.MustParseFault("hang"), 0)
			go s.TokenFor(t.Context(), 50*time.Minute)
			synctest.Wait()
			asked := time.Now()
			mustToken(t, s)
			if waited := time.Since(asked); waited > 0 {
				t.Errorf("a caller who takes what is in the store waited %v", waited)
			}
			service.Clear()
			time.Sleep(time.Minute)
		}
		before := service.Counters().TokenRequests
		for range 60 {
			if _, err := join(t, cfg, store.Handle()).TokenFor(t.Context(), 59*time.Minute+55*time.Second); !errors.Is(err, shsession.ErrLifeTooShort) {
				t.Errorf("%v, want ErrLifeTooShort", err)
			}
		}
		if n := service.Counters().TokenRequests; n != before {
			t.Errorf("%d logins for a life that no token has", n-before)
		}
	})
}

// A store whose lock can't be had, as when it can't write, withholds no token that is there:
// neither from a member that begins, nor from one whose secret can't be read.
func TestTheLockWithholdsNoToken(t *testing.T) {
	for name, broken := range map[string]struct{ lock, secret error }{
		"the lock":   {lock: errOOM},
		"the secret": {secret: errors.New("the file is missing")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cfg := newService(t, 10*time.Minute)
				store := &lockless{Memory: &storetest.Memory{}}
				token := mustToken(t, join(t, cfg, store))
				time.Sleep(9*time.Minute + 30*time.Second) // the token is stale
				store.err = broken.lock
				if broken.secret != nil {
					cfg.ReadSecret = func(context.Context) (shsession.Secret, error) { return shsession.Secret{}, broken.secret }
				}
				if got := mustToken(t, join(t, cfg, store)); !got.Equal(token) {
					t.Error("another token than the one in the store")
				}
			})
		})
	}
}

// A lockless store's TryLock fails with err.
type lockless struct {
	*storetest.Memory
	err error
}

func (l *lockless) TryLock(ctx context.Context, pass func(shsession.Note) bool) (context.Context, func(shsession.Note), error) {
	if l.err != nil {
		return nil, nil, l.err
	}
	return l.Memory.TryLock(ctx, pass)
}
