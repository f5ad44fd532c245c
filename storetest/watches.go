package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
)

// watch starts a Watch that is stopped at the test's end, or skips the test.
func watch(t *testing.T, s shsession.Store) shsession.Watch {
	t.Helper()
	watcher, ok := s.(shsession.Watcher)
	if !ok {
		t.Skip("this store is no Watcher")
	}
	w, err := watcher.Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatalf("Watch: %v", err)
	}
	t.Cleanup(w.Stop)
	return w
}

func wantChanged(t *testing.T, w shsession.Watch) {
	t.Helper()
	select {
	case <-w.Changed():
	case <-time.After(patience):
		t.Fatal("Changed didn't receive")
	}
}

func wantUnchanged(t *testing.T, w shsession.Watch) {
	t.Helper()
	select {
	case <-w.Changed():
		t.Error("Changed received, but nothing else has replaced the token")
	default:
	}
}

func testWatchRestores(t *testing.T, s Setup) {
	if s.Remove == nil {
		t.Skip("nothing but a handle can remove this store's token")
	}
	ours, theirs := s.Open(), s.Open()
	publish(t, ours, newToken(t, "first"))
	w := watch(t, ours)
	second := newToken(t, "second")
	for _, token := range []shsession.Token{second, newToken(t, "third"), second} {
		publish(t, ours, token)
		for range 3 {
			before := w.Restored()
			s.Remove()
			eventually(t, "the token is put back", func() bool { return w.Restored() > before })
			wantToken(t, theirs, token)
		}
	}
	wantUnchanged(t, w)
	w.Stop()
	s.Remove()
	wantNothing(t, theirs)
}

func testWatchMissing(t *testing.T, s Setup) {
	if s.Remove == nil {
		t.Skip("nothing but a handle can remove this store's token")
	}
	ours := s.Open()
	token := newToken(t, "token")
	publish(t, ours, token)
	s.Remove()
	w := watch(t, ours)
	eventually(t, "the token is put back", func() bool { return w.Restored() > 0 })
	wantToken(t, ours, token)
}

func testWatchChanged(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	publish(t, ours, newToken(t, "first"))
	w := watch(t, ours)
	publish(t, ours, newToken(t, "second"))
	wantUnchanged(t, w)

	foreign := newToken(t, "foreign")
	publish(t, theirs, foreign)
	wantChanged(t, w)
	wantToken(t, ours, foreign)
	publish(t, theirs, newToken(t, "another"))
	wantChanged(t, w)
}

func testWatchTwice(t *testing.T, s Setup) {
	ours := s.Open()
	publish(t, ours, newToken(t, "token"))
	w := watch(t, ours)
	if second, err := ours.(shsession.Watcher).Watch(t.Context(), shsession.Account{ClientID: "client"}); err == nil {
		second.Stop()
		t.Error("a second Watch is no error")
	}
	w.Stop()
	w.Stop()
	again := watch(t, ours)
	w.Stop() // a late Stop stops nothing else
	if third, err := ours.(shsession.Watcher).Watch(t.Context(), shsession.Account{ClientID: "client"}); err == nil {
		third.Stop()
		t.Error("a second Watch after a late Stop of another is no error")
	}
	again.Stop()
}

// testWatchPeers shares by two handles, which withdraw one after the other.
func testWatchPeers(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	publish(t, ours, newToken(t, "first"))
	w := watch(t, ours)
	publish(t, theirs, newToken(t, "second"))
	peer := watch(t, theirs)
	wantChanged(t, w)
	third := newToken(t, "third")
	publish(t, theirs, third)
	wantChanged(t, w)

	peer.Stop()
	withdraw(t, theirs)
	wantToken(t, theirs, third) // since ours still shares it
	if s.Remove != nil {
		before := w.Restored()
		s.Remove()
		eventually(t, "the other's token is put back", func() bool { return w.Restored() > before })
		wantToken(t, theirs, third)
	}
	w.Stop()
	withdraw(t, ours)
	wantNothing(t, theirs) // the last one withdraws it
}

func testWatchWithdraw(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	publish(t, ours, newToken(t, "token"))
	w := watch(t, ours)
	withdraw(t, ours)
	wantNothing(t, theirs)
	if n := w.Restored(); n != 0 {
		t.Errorf("what was withdrawn was put back %d times", n)
	}
	again := newToken(t, "again")
	publish(t, ours, again)
	if s.Remove != nil {
		s.Remove()
		eventually(t, "the token is put back", func() bool { return w.Restored() > 0 })
	}
	wantToken(t, theirs, again)
	w.Stop()
	wantToken(t, theirs, again) // Stop doesn't withdraw
}

// testWatchConflict has several clients begin to share at the same time: one of them can.
func testWatchConflict(t *testing.T, s Setup) {
	first := s.Open()
	if _, ok := first.(shsession.Watcher); !ok {
		t.Skip("this store is no Watcher")
	}
	publish(t, first, newToken(t, "first"))
	var won atomic.Pointer[string]
	var all sync.WaitGroup
	for n := range 8 {
		watcher := s.Open().(shsession.Watcher)
		client := fmt.Sprintf("client-%d", n)
		all.Go(func() {
			w, err := watcher.Watch(t.Context(), shsession.Account{ClientID: client})
			var conflict *shsession.ConflictError
			switch {
			case errors.As(err, &conflict):
				if conflict.ClientID == "" || conflict.ClientID == client || len(conflict.Sharers) != 1 {
					t.Errorf("the conflict of %s is %+v", client, conflict)
				}
			case err != nil:
				t.Errorf("Watch: %v, want a ConflictError", err)
			default:
				t.Cleanup(w.Stop)
				if other := won.Swap(&client); other != nil {
					t.Errorf("both %s and %s watch", *other, client)
				}
			}
		})
	}
	all.Wait()
	if won.Load() == nil {
		t.Fatal("none of the clients watches")
	}
	w, err := s.Open().(shsession.Watcher).Watch(t.Context(), shsession.Account{ClientID: *won.Load()})
	if err != nil {
		t.Fatalf("Watch of the same client: %v", err)
	}
	w.Stop()
}

// testWatchAccounts has one account watch, and others beside: what a store can't tell of
// an account matches anything.
func testWatchAccounts(t *testing.T, s Setup) {
	first := s.Open()
	if _, ok := first.(shsession.Watcher); !ok {
		t.Skip("this store is no Watcher")
	}
	const (
		production = "https://identity.example.com/realms/main"
		staging    = "https://staging.example.com/realms/main"
		oldHub     = "https://services.sentinel-hub.com/oauth/token"
		newHub     = "https://services-uswest2.sentinel-hub.com/auth/realms/main"
	)
	for _, test := range []struct {
		there, own shsession.Account
		conflict   bool
	}{
		{shsession.Account{Issuer: production, ClientID: "client"}, shsession.Account{Issuer: production, ClientID: "client"}, false},
		{shsession.Account{Issuer: production, ClientID: "client"}, shsession.Account{Issuer: staging, ClientID: "client"}, true},
		{shsession.Account{Issuer: production, ClientID: "client"}, shsession.Account{Issuer: production, ClientID: "other"}, true},
		{shsession.Account{Issuer: production, ClientID: "client"}, shsession.Account{ClientID: "client"}, false},
		{shsession.Account{Issuer: production, ClientID: "client"}, shsession.Account{ClientID: "other"}, true},
		{shsession.Account{Issuer: production, ClientID: "client"}, shsession.Account{Issuer: production}, false},
		{shsession.Account{Issuer: production, ClientID: "client"}, shsession.Account{}, false},
		{shsession.Account{}, shsession.Account{Issuer: staging, ClientID: "client"}, false},
		{shsession.Account{Issuer: oldHub, ClientID: "client"}, shsession.Account{Issuer: newHub, ClientID: "client"}, false},
		{shsession.Account{Issuer: oldHub, ClientID: "client"}, shsession.Account{Issuer: newHub, ClientID: "other"}, true},
	} {
		w, err := s.Open().(shsession.Watcher).Watch(t.Context(), test.there)
		if err != nil {
			t.Fatalf("Watch of %+v: %v", test.there, err)
		}
		beside, err := s.Open().(shsession.Watcher).Watch(t.Context(), test.own)
		var conflict *shsession.ConflictError
		switch {
		case err == nil:
			beside.Stop()
			if test.conflict {
				t.Errorf("%+v can watch beside %+v", test.own, test.there)
			}
		case !errors.As(err, &conflict):
			t.Errorf("Watch: %v", err)
		case !test.conflict:
			t.Errorf("%+v beside %+v: %v", test.own, test.there, err)
		case conflict.Account != test.there || conflict.Own != test.own:
			t.Errorf("the conflict of %+v beside %+v is %+v", test.own, test.there, conflict)
		}
		w.Stop()
	}
}
