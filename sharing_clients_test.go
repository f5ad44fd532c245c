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
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/storetest"
)

func TestTwoClientsInOneStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), &store)
		other := testkit.NewService(t, identity.Options{Clients: []identity.Client{{ID: "client-8", Secret: shsession.NewSecret(secret)}}})
		cfg8 := configFor(other.RoundTripper())
		cfg8.ClientID = "client-8"
		var conflict *shsession.ConflictError
		_, err := shsession.Share(t.Context(), newSession(t, cfg8), store.Handle())
		if !errors.As(err, &conflict) || conflict.ClientID != clientID || len(conflict.Sharers) != 1 {
			t.Errorf("Share = %v, want a ConflictError with client and process", err)
		}
		if _, err := join(t, cfg8, store.Handle()).Token(t.Context()); !errors.As(err, &conflict) {
			t.Errorf("Join's Token = %v, want a ConflictError", err)
		}
		if other.Counters().TokenRequests != 0 {
			t.Error("the second client logged in all the same")
		}
		wantShared(t, &store)
		sh.Close()
		share(t, newSession(t, cfg8), store.Handle()).Close()
	})
}

// A dead sharer's token of another client is nobody's any more.
func TestOrphanOfAnotherClient(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	store := &orphaned{}
	if err := store.Publish(t.Context(), tokenOf(t, jwt(`{"azp":"another-client"}`))); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*shsession.Session{newSession(t, cfg), join(t, cfg, store)} {
		share(t, s, store).Close()
	}
	mustToken(t, join(t, cfg, store))
}

// orphaned is a store whose only sharer has died.
type orphaned struct{ storetest.Memory }

func (*orphaned) Sharers(context.Context) (live, dead []shsession.Sharer, err error) {
	return nil, []shsession.Sharer{{PID: 1, Account: shsession.Account{ClientID: "another-client"}}}, nil
}

// newClient returns a config of a client by another name, whose tokens come from an
// endpoint that takes 300 ms; opaque tokens, if so asked.
func newClient(t *testing.T, id string, opaque bool) (shsession.Config, *atomic.Int64) {
	t.Helper()
	logins := &atomic.Int64{}
	cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		time.Sleep(300 * time.Millisecond)
		n := logins.Add(1)
		token := fmt.Sprintf("%s-%d", id, n)
		if !opaque {
			token = jwt(fmt.Sprintf(`{"azp":%q,"jti":"%d"}`, id, n))
		}
		return answer(200, "application/json", fmt.Sprintf(`{"access_token":%q,"expires_in":60}`, token)).RoundTrip(r)
	}))
	cfg.ClientID = id
	return cfg, logins
}

// Of two clients that begin to share at the same moment, one can.
func TestClientsStartTogether(t *testing.T) {
	for _, opaque := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var store storetest.Memory
			var shared, refused atomic.Int64
			var all sync.WaitGroup
			for n := range 8 {
				cfg, _ := newClient(t, fmt.Sprint("client-", n), opaque)
				s := newSession(t, cfg)
				all.Go(func() {
					sh, err := shsession.Share(t.Context(), s, store.Handle())
					var conflict *shsession.ConflictError
					switch {
					case err == nil:
						shared.Add(1)
						defer sh.Close()
						time.Sleep(10*time.Minute + 10*time.Second) // between two renewals, which are half a minute apart
						if got, err := store.Load(t.Context()); err != nil || !got.Equal(mustToken(t, s)) {
							t.Errorf("another client's token took the place of what was shared: %v", err)
						}
					case errors.As(err, &conflict):
						refused.Add(1)
					default:
						t.Errorf("Share = %v, want a ConflictError", err)
					}
				})
			}
			all.Wait()
			if shared.Load() != 1 || refused.Load() != 7 {
				t.Errorf("of 8 clients %d share and %d were refused", shared.Load(), refused.Load())
			}
			wantNothingShared(t, &store)
		})
	}
}

// A sharer keeps its place when its token has expired, or is gone, or doesn't say whose it
// is.
func TestAnotherClientsLiveSharer(t *testing.T) {
	for _, opaque := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var store storetest.Memory
			cfg, _ := newClient(t, "client-a", opaque)
			s := newSession(t, cfg)
			share(t, s, store.Handle())
			other, logins := newClient(t, "client-b", opaque)
			wantConflict := func(when string) {
				t.Helper()
				var conflict *shsession.ConflictError
				if _, err := shsession.Share(t.Context(), newSession(t, other), store.Handle()); !errors.As(err, &conflict) || conflict.ClientID != "client-a" {
					t.Errorf("%s, Share = %v, want a ConflictError that names the client", when, err)
				}
				if _, err := join(t, other, store.Handle()).Token(t.Context()); !errors.As(err, &conflict) {
					t.Errorf("%s, Join's Token = %v, want a ConflictError", when, err)
				}
			}
			wantConflict("with a valid token")
			expired := mustToken(t, s).WithExpiry(time.Now().Add(-time.Minute))
			if err := store.Publish(t.Context(), expired); err != nil {
				t.Fatal(err)
			}
			wantConflict("with an expired token")
			if n := logins.Load(); n != 0 {
				t.Errorf("the other client logged in %d times", n)
			}
		})
	}
}

// A Sharing that is closed while its session, a member of the same store, is logging in
// leaves nothing there, then or later.
func TestCloseDuringARenewal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cfg, logins := newClient(t, "client-a", false)
		var store storetest.Memory
		s := join(t, cfg, &store)
		sh := share(t, s, &store)
		for before := logins.Load(); logins.Load() == before; {
			time.Sleep(time.Millisecond)
			if s.Status().State == shsession.Stale {
				break
			}
		}
		go s.Token(t.Context())
		time.Sleep(100 * time.Millisecond) // in the middle of the login
		if err := sh.Close(); err != nil {
			t.Fatal(err)
		}
		wantNothingShared(t, &store)
		time.Sleep(time.Second)
		wantNothingShared(t, &store)
		mustToken(t, s) // which goes on, and has the token that the login brought
	})
}
