package shsession_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

func TestRejectAndRenew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		first := mustToken(t, s)
		s.Reject(first)
		second := mustToken(t, s)
		if second.Equal(first) {
			t.Fatal("a rejected token came again")
		}
		s.Reject(first) // not current any more
		if got := mustToken(t, s); !got.Equal(second) {
			t.Error("rejecting an old token replaced the current one")
		}
		time.Sleep(30 * time.Minute)
		third, err := s.Renew(t.Context())
		if err != nil || third.Equal(second) {
			t.Errorf("Renew = %v, with a new token: %v", err, !third.Equal(second))
		}
		if n := service.Counters().TokenRequests; n != 3 {
			t.Errorf("%d token requests, want 3", n)
		}
		if got, err := s.Renew(t.Context()); err == nil && got.Equal(third) {
			t.Error("Renew returned the old token without an error")
		}
		service.Inject(identity.MustParseFault("503"), 0)
		time.Sleep(2 * time.Minute)
		current := mustToken(t, s)
		var endpoint *shsession.EndpointError
		if got, err := s.Renew(t.Context()); !errors.As(err, &endpoint) || !got.Equal(current) {
			t.Errorf("Renew while the service is down: %v, want the old token and why", err)
		}
		if _, err := shsession.FromToken(third).Renew(t.Context()); !errors.Is(err, shsession.ErrNotRefreshing) {
			t.Errorf("Renew of a fixed token: %v, want ErrNotRefreshing", err)
		}
	})
}

// A server that refuses every token doesn't cause a loop of logins.
func TestRejectedAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		for range 6000 { // ten minutes
			s.Reject(mustToken(t, s))
			time.Sleep(100 * time.Millisecond)
		}
		if n := service.Counters().TokenRequests; n > 20 {
			t.Errorf("%d logins in ten minutes", n)
		}
	})
}

// When the service is down, a rejected token is better than none.
func TestRejectedWhileTheServiceIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		first := mustToken(t, s)
		service.Inject(identity.MustParseFault("503"), 0)
		s.Reject(first)
		if got := mustToken(t, s); !got.Equal(first) {
			t.Error("another token came from nowhere")
		}
	})
}
