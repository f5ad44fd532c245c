package shsession_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/storetest"
)

// A secret that a person rotates while the program runs is read before each login.
func TestARotatedSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var current atomic.Value
		current.Store("of yesterday")
		cfg.ClientSecret = shsession.Secret{}
		cfg.ReadSecret = func(context.Context) (shsession.Secret, error) {
			return shsession.NewSecret(current.Load().(string)), nil
		}
		for _, s := range []*shsession.Session{newSession(t, cfg), join(t, cfg, &storetest.Memory{})} {
			current.Store("of yesterday")
			var auth *shsession.AuthError
			if _, err := s.Token(t.Context()); !errors.As(err, &auth) {
				t.Fatalf("Token = %v with the old secret, want an AuthError", err)
			}
			current.Store(secret)
			time.Sleep(72 * time.Second) // the longest wait after a refusal
			mustToken(t, s)
		}
		if n := service.Counters().TokenRequests; n != 4 {
			t.Errorf("%d logins, want 4", n)
		}
	})
}

// Whoever asks in the wait after a refusal doesn't wait for a secret that is another one by
// now, and logs in no more often for one that is the same.
func TestARotatedSecretIsTriedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var current atomic.Value
		current.Store(secret)
		cfg.ClientSecret = shsession.Secret{}
		cfg.ReadSecret = func(context.Context) (shsession.Secret, error) {
			return shsession.NewSecret(current.Load().(string)), nil
		}
		for _, s := range []*shsession.Session{newSession(t, cfg), join(t, cfg, &storetest.Memory{})} {
			current.Store("mistyped")
			before := service.Counters().TokenRequests
			for range 10 { // without a token
				if _, err := s.Token(t.Context()); err == nil {
					t.Fatal("a token for a wrong secret")
				}
			}
			current.Store(secret)
			time.Sleep(time.Second) // else the file is read too often
			mustToken(t, s)
			time.Sleep(90 * time.Second)
			current.Store("mistyped again")
			for range 10 { // with one, as on SIGHUP
				if _, err := s.Renew(t.Context()); err == nil {
					t.Fatal("a token for a wrong secret")
				}
			}
			current.Store(secret)
			if _, err := s.Renew(t.Context()); err != nil {
				t.Error(err)
			}
			if n := service.Counters().TokenRequests - before; n != 4 {
				t.Errorf("%d logins, want 4", n)
			}
		}
	})
}

// A secret that changes while a login is under way is tried at once.
func TestASecretThatChangesDuringALogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		reads := 0
		cfg.ReadSecret = func(context.Context) (shsession.Secret, error) {
			if reads++; reads == 1 {
				return shsession.NewSecret("of yesterday"), nil
			}
			return shsession.NewSecret(secret), nil
		}
		mustToken(t, newSession(t, cfg))
	})
}

// A secret that can't be read is an error that says so, and is read again.
func TestASecretThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, 10*time.Minute)
		missing := errors.New("the file is missing")
		var broken atomic.Bool
		broken.Store(true)
		cfg.ReadSecret = func(context.Context) (shsession.Secret, error) {
			if broken.Load() {
				return shsession.Secret{}, missing
			}
			return shsession.NewSecret(secret), nil
		}
		s := join(t, cfg, &storetest.Memory{})
		if _, err := s.Token(t.Context()); !errors.Is(err, missing) {
			t.Errorf("Token = %v, want the reason", err)
		}
		broken.Store(false)
		time.Sleep(72 * time.Second)
		mustToken(t, s)
	})
}
