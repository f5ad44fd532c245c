package shsession_test

import (
	"bytes"
	"errors"
	"log/slog"
	"sync/atomic"
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

// A follower has settings as other sessions have, and says in its own log what goes wrong.
func TestFollowWith(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), store.Handle())
		var log bytes.Buffer
		var seen atomic.Int64
		follower := shsession.FollowWith(shsession.Config{
			RefreshBeforeExpiry: 30 * time.Second,
			Logger:              slog.New(slog.NewTextHandler(&log, nil)),
			OnToken:             func(shsession.Token) { seen.Add(1) },
		}, &store)
		first := mustToken(t, follower)
		time.Sleep(9*time.Minute + 30*time.Second) // renewed by now, but not due here
		if !mustToken(t, follower).Equal(first) {
			t.Error("the follower looked for a new token before it had to")
		}
		time.Sleep(29 * time.Second)
		if mustToken(t, follower).Equal(first) {
			t.Error("the follower didn't look for a new token when it had to")
		}
		synctest.Wait()
		if n := seen.Load(); n != 2 {
			t.Errorf("OnToken was called %d times, want 2", n)
		}
		sh.Close()
		time.Sleep(7*time.Minute + 47*time.Second) // due, and nothing new is there
		mustToken(t, follower)
		synctest.Wait() // the log comes after the caller is let go
		if log.Len() == 0 {
			t.Error("the log has no word of a token that can't be renewed")
		}
	})
}
