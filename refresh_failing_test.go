package shsession_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
)

var errOOM = errors.New("OOM command not allowed")

// failingReads is how often a store may be asked that has failed for d, some seconds or more.
// The pauses are 20 ms, twice that, and so on up to 750 ms, each a fifth shorter or longer.
// So there are a first read, six more after at least 0.8 × (20 + 40 + 80 + 160 + 320 + 640) ms
// = 1.008 s, and then one every 0.6 s.
func failingReads(d time.Duration) int64 {
	return int64(1 + 6 + (d-1008*time.Millisecond)/(600*time.Millisecond))
}

// askFor asks a session for its token a thousand times a second.
func askFor(t *testing.T, s *shsession.Session, d time.Duration) {
	for begin := time.Now(); time.Since(begin) < d; time.Sleep(time.Millisecond) {
		_, _ = s.Token(t.Context())
	}
}

// When a token ends, a failing store is seldom asked, however often callers ask, and it is
// found to work again within a second.
func TestAFailingStoreIsSeldomAsked(t *testing.T) {
	member := func(t *testing.T, cfg shsession.Config, store *brokenStore) *shsession.Session {
		return join(t, cfg, store)
	}
	for name, begin := range map[string]func(*testing.T, shsession.Config, *brokenStore) *shsession.Session{
		"a member": member,
		"a member who can't lock": func(t *testing.T, cfg shsession.Config, store *brokenStore) *shsession.Session {
			store.onlyLock = true
			return member(t, cfg, store)
		},
		"a follower": func(_ *testing.T, cfg shsession.Config, store *brokenStore) *shsession.Session {
			return shsession.FollowWith(shsession.Config{Logger: cfg.Logger}, store)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cfg := newService(t, 10*time.Minute)
				var store brokenStore
				mustToken(t, join(t, cfg, &store))
				s := begin(t, cfg, &store)
				mustToken(t, s)
				time.Sleep(9*time.Minute + 50*time.Second)
				store.fails(errOOM)
				failed, before := time.Now(), store.calls.Load()
				for _, end := range []time.Duration{10 * time.Second, time.Minute} { // the token's end, and later
					askFor(t, s, end-time.Since(failed))
					if n, most := store.calls.Load()-before, failingReads(time.Since(failed)); n > most {
						t.Errorf("%d reads in %v of failures, want at most %d", n, time.Since(failed), most)
					}
				}
				store.err.Store(nil)
				mustToken(t, join(t, cfg, &store)) // which publishes a new one
				back := time.Now()
				for _, err := s.Token(t.Context()); err != nil; _, err = s.Token(t.Context()) {
				}
				if waited := time.Since(back); waited > time.Second {
					t.Errorf("the store was found to work after %v", waited)
				}
			})
		})
	}
}

// A store that fails until shortly before the token ends costs no caller a token.
func TestAStoreThatIsBackInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		var store brokenStore
		s := join(t, cfg, &store)
		first := mustToken(t, s)
		time.Sleep(8 * time.Minute)
		store.fails(errOOM)
		const valid = 10*time.Minute - 10*time.Second
		for left := valid - 8*time.Minute - 20*time.Millisecond; left > 0; left -= 100 * time.Millisecond {
			mustToken(t, s)
			time.Sleep(100 * time.Millisecond)
		}
		store.err.Store(nil)
		asked := time.Now()
		for mustToken(t, s).Equal(first) {
			time.Sleep(10 * time.Millisecond)
		}
		if waited := time.Since(asked); waited > 2*time.Second { // an eighth of what is left, a fifth more or less
			t.Errorf("there was a new token %v after the store was back", waited)
		}
	})
}

// A store without a token hasn't failed: a follower reads it twice a second.
func TestAnEmptyStoreIsReadOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var store countingStore
		s := shsession.Follow(&store)
		askFor(t, s, time.Minute)
		if n := store.calls.Load(); n < 100 || n > 150 { // every 0.5 s, a fifth more or less
			t.Errorf("%d reads in a minute", n)
		}
	})
}

// A Sharing of tokens that live for two seconds asks a failing store no more often as each
// token ends. A renewal, once a second, asks four times: the login and the Sharing each read
// and publish. A retry, after 0.8 s at least, reads and publishes.
func TestAFailingStoreIsSeldomSharedTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 2*time.Second)
		var store brokenStore
		s := newSession(t, cfg)
		sh := share(t, s, &store)
		store.fails(errOOM)
		before := store.calls.Load()
		askFor(t, s, time.Minute)
		if n, most := store.calls.Load()-before, int64(61*4+60_000/800*2); n > most {
			t.Errorf("%d reads and publications in a minute of failures, want at most %d", n, most)
		}
		store.err.Store(nil)
		time.Sleep(1200 * time.Millisecond)
		wantShared(t, &store)
		sh.Close()
	})
}
