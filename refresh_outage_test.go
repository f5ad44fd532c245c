package shsession_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

// A token service that is down, slow or refusing throughout the window before expiry is
// noticed by nobody while the token is valid, and recovery comes within one backoff step
// of the service's return.
func TestOutageInTheWindow(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"503", "500", "429", "429:retry-after=7", "429:retry-after=999999", "html:429", "html", "drop", "cut", "hang", "slow:29s", "malformed", "oversized"} {
		t.Run(fault, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { outage(t, fault) })
		})
	}
}

func outage(t *testing.T, fault string) {
	service, cfg := newService(t, time.Hour)
	s := newSession(t, cfg)
	old := mustToken(t, s)
	begin := time.Now()
	time.Sleep(time.Hour - 2*time.Minute)
	service.Inject(identity.MustParseFault(fault), 0)
	for time.Since(begin) < time.Hour-15*time.Second {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		asked := time.Now()
		got, err := s.Token(ctx)
		if err != nil {
			t.Fatalf("%v before expiry: %v", time.Hour-time.Since(begin), err)
		}
		if waited := time.Since(asked); waited > time.Second {
			t.Fatalf("a caller with a second waited %v", waited)
		}
		if strings.HasPrefix(fault, "slow") && !got.Equal(old) {
			cancel()
			return // slow, but it came
		}
		cancel()
		time.Sleep(100 * time.Millisecond)
	}
	if failures := s.Status().Failures.Endpoint(); failures == 0 || failures > 8 {
		t.Errorf("%d failed attempts in the window, want a few", failures)
	}
	service.Clear()
	back, step := time.Now(), time.Until(s.Status().NextTry)
	if step <= 0 { // an attempt is under way, and then comes a wait
		step = shsession.DefaultTimeout + 72*time.Second
	}
	for mustTokenSoon(t, s).Equal(old) {
		time.Sleep(100 * time.Millisecond)
	}
	if took := time.Since(back); took > step+200*time.Millisecond {
		t.Errorf("recovery took %v, and the next attempt was due in %v", took, step)
	}
}

// mustTokenSoon waits for a token as long as recovery may take.
func mustTokenSoon(t *testing.T, s *shsession.Session) shsession.Token {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	token, err := s.Token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// With no valid token, callers learn why, and however often they ask, attempts keep their
// distance.
func TestOutageAtColdStart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		service.Inject(identity.MustParseFault("503"), 0)
		start := time.Now()
		_, err := s.Token(t.Context())
		var endpoint *shsession.EndpointError
		if !errors.As(err, &endpoint) || endpoint.Status != http.StatusServiceUnavailable {
			t.Fatalf("Token = %v, want an EndpointError with the status", err)
		}
		if n := service.Counters().TokenRequests; n != 4 {
			t.Errorf("%d attempts, want 4", n)
		}
		if took := time.Since(start); took < 50*time.Second || took > 80*time.Second {
			t.Errorf("four attempts took %v, want 5 s + 15 s + 45 s with jitter", took)
		}
		for time.Since(start) < time.Hour {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			if _, err := s.Token(ctx); err == nil {
				t.Error("a token out of nothing")
			}
			cancel()
		}
		if n := service.Counters().TokenRequests; n > 300 {
			t.Errorf("%d token requests in an hour of failure", n)
		}
		time.Sleep(5 * time.Minute) // for the last flight to end
	})
}

func TestRefusedCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		cfg.ClientSecret = shsession.NewSecret("wrong")
		s := newSession(t, cfg)
		start := time.Now()
		for range 1000 {
			_, err := s.Token(t.Context())
			var auth *shsession.AuthError
			if !errors.As(err, &auth) || auth.Status != http.StatusUnauthorized || auth.Code == "" || auth.Hint == "" {
				t.Fatalf("Token = %v, want an AuthError with code and hint", err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("a refusal took %v to report", took)
		}
		if n := service.Counters().TokenRequests; n != 1 {
			t.Errorf("%d token requests for one pair of wrong credentials, want 1", n)
		}
		time.Sleep(2 * time.Minute)
		if _, err := s.Token(t.Context()); err == nil {
			t.Error("wrong credentials became right")
		}
		if n := service.Counters().TokenRequests; n != 2 {
			t.Errorf("%d token requests after two minutes, want another try", n)
		}
	})
}

// Credentials that are refused while a token is valid are no reason to withhold it.
func TestRefusedInTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		mustToken(t, s)
		time.Sleep(time.Hour - 100*time.Second)
		refuse := identity.MustParseFault("401")
		service.Inject(refuse, 0)
		for range 80 {
			mustToken(t, s)
			time.Sleep(time.Second)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		service.Inject(identity.MustParseFault("429:retry-after=33"), 1)
		start := time.Now()
		mustToken(t, s)
		if took := time.Since(start); took < 33*time.Second || took > 40*time.Second {
			t.Errorf("the second attempt came after %v, want 33 s", took)
		}
	})
}

// A caller who leaves during the wait between two attempts learns why the first one failed.
func TestInterruptedBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		service.Inject(identity.MustParseFault("503"), 0)
		s := newSession(t, cfg)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		_, err := s.Token(ctx)
		var endpoint *shsession.EndpointError
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &endpoint) || endpoint.Status != http.StatusServiceUnavailable {
			t.Errorf("Token = %v, want the deadline and the endpoint's answer", err)
		}
		time.Sleep(5 * time.Minute) // the refresh goes on without the caller, and ends
	})
}
