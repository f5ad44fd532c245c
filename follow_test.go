package shsession_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/storetest"
)

func TestFollowWithoutSharer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		follower := shsession.Follow(store.Handle())
		if _, err := follower.Token(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
			t.Errorf("Token = %v, want ErrNotShared", err)
		}
		if _, err := shsession.Collect(t.Context(), &store); !errors.Is(err, shsession.ErrNotShared) {
			t.Errorf("Collect = %v, want ErrNotShared", err)
		}
		sh := share(t, newSession(t, cfg), &store)
		mustToken(t, follower)
		sh.Close()
		time.Sleep(9 * time.Minute)
		mustToken(t, follower) // what it has is good for another minute
		time.Sleep(time.Minute)
		if _, err := follower.Token(t.Context()); err == nil {
			t.Error("a token out of nothing")
		}
		share(t, newSession(t, cfg), &store)
		start := time.Now()
		mustToken(t, follower)
		if took := time.Since(start); took > time.Second {
			t.Errorf("the follower needed %v to recover", took)
		}
	})
}

func TestFollowAnExpiredToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Minute)
		var store storetest.Memory
		if err := store.Publish(t.Context(), mustToken(t, newSession(t, cfg))); err != nil {
			t.Fatal(err)
		}
		follower := shsession.Follow(store.Handle())
		mustToken(t, follower)
		time.Sleep(2 * time.Minute)
		if _, err := follower.Token(t.Context()); !errors.Is(err, shsession.ErrExpired) {
			t.Errorf("Token = %v, want ErrExpired", err)
		}
	})
}
