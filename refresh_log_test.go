package shsession_test

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/logqueue"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/storetest"
)

// An outage of hours is logged once, and again when it ends.
func TestRepeatsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		var log testkit.Output
		cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
		var store storetest.Memory
		sh := share(t, newSession(t, cfg), &store)
		service.Inject(identity.MustParseFault("503"), 0)
		time.Sleep(3 * time.Hour)
		if n := strings.Count(log.String(), "no new token"); n < 1 || n > 3 { // while stale, expired, and noted
			t.Errorf("the outage was logged %d times:\n%s", n, log.String()[:4000])
		}
		if n := strings.Count(log.String(), "there is a new token again"); n != 0 {
			t.Errorf("the end was logged %d times before it came", n)
		}
		service.Clear()
		time.Sleep(2 * time.Minute)
		if n := strings.Count(log.String(), "there is a new token again"); n != 1 {
			t.Errorf("the end of the outage was logged %d times, want once", n)
		}
		sh.Close()
	})
}

// A log whose reader has stopped keeps no caller waiting for a token.
func TestALogThatIsNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		blocked := make(blockedLog)
		cfg.Logger = slog.New(blocked)
		s := newSession(t, cfg)
		mustToken(t, s)
		service.Inject(identity.MustParseFault("503"), 1)
		time.Sleep(8*time.Minute + time.Second)
		for range 60 {
			asked := time.Now()
			mustToken(t, s)
			if waited := time.Since(asked); waited > time.Second {
				t.Fatalf("a caller waited %v for a log", waited)
			}
			time.Sleep(time.Second)
		}
		if s.Status().State != shsession.Fresh {
			t.Errorf("the session is %v, and the service is up", s.Status().State)
		}
		close(blocked)
	})
}

// Nor does it keep a login waiting: a first one that is tried again, one after a refused
// token, one past the lock of a stopped holder, and one whose token can't be shared.
func TestALogThatIsNotReadDelaysNoLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		blocked := make(blockedLog)
		defer close(blocked)
		cfg.Logger = slog.New(blocked)
		soon := func(s *shsession.Session) shsession.Token {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			token, err := s.Token(ctx)
			if err != nil {
				t.Fatalf("Token: %v", err)
			}
			return token
		}
		service.Inject(identity.MustParseFault("503"), 2)
		s := newSession(t, cfg)
		s.Reject(soon(s))
		soon(s)
		var store storetest.Memory
		_, unlock, err := store.Handle().TryLock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		soon(join(t, cfg, store.Handle()))
		unlock(shsession.Note{})
		soon(join(t, cfg, &unwritable{}))
	})
}

// unwritable is a store where nothing can be published.
type unwritable struct{ storetest.Memory }

func (*unwritable) Publish(context.Context, shsession.Token) error { return errDead }

// blockedLog is a log that nobody reads until it is closed.
type blockedLog chan struct{}

func (b blockedLog) Enabled(context.Context, slog.Level) bool { return true }

func (b blockedLog) Handle(context.Context, slog.Record) error { <-b; return nil }

func (b blockedLog) WithAttrs([]slog.Attr) slog.Handler { return b }

func (b blockedLog) WithGroup(string) slog.Handler { return b }

// A brokenStore fails for as long as it has an error, or only its lock does.
type brokenStore struct {
	storetest.Memory
	onlyLock bool
	err      atomic.Pointer[error]
	calls    atomic.Int64 // of what fails
}

func (b *brokenStore) fails(err error) {
	b.err.Store(&err)
}

func (b *brokenStore) failure() error {
	b.calls.Add(1)
	if err := b.err.Load(); err != nil {
		return *err
	}
	return nil
}

func (b *brokenStore) Load(ctx context.Context) (shsession.Token, error) {
	if !b.onlyLock {
		if err := b.failure(); err != nil {
			return shsession.Token{}, err
		}
	}
	return b.Memory.Load(ctx)
}

func (b *brokenStore) TryLock(ctx context.Context, pass func(shsession.Note) bool) (context.Context, func(shsession.Note), error) {
	if b.onlyLock {
		if err := b.failure(); err != nil {
			return nil, nil, err
		}
	}
	return b.Memory.TryLock(ctx, pass)
}

func (b *brokenStore) Publish(ctx context.Context, t shsession.Token) error {
	if err := b.failure(); err != nil {
		return err
	}
	return b.Memory.Publish(ctx, t)
}

// A store that fails for an hour is said once to fail, and once to work again, in a log that
// is asked to be calm: by a member who asks all the time, and by a Sharing.
func TestStoreErrorsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	for name, begin := range map[string]func(t *testing.T, cfg shsession.Config, store *brokenStore) (ask func()){
		"a member": func(t *testing.T, cfg shsession.Config, store *brokenStore) func() {
			s := join(t, cfg, store)
			mustToken(t, s)
			return func() { _, _ = s.Token(t.Context()) }
		},
		"a sharing": func(t *testing.T, cfg shsession.Config, store *brokenStore) func() {
			sh := share(t, newSession(t, cfg), store)
			t.Cleanup(func() { sh.Close() })
			return func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, cfg := newService(t, 10*time.Minute)
				var log testkit.Output
				cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
				var store brokenStore
				ask := begin(t, cfg, &store)
				time.Sleep(time.Second)
				before := store.calls.Load()
				store.fails(errOOM)
				for begin := time.Now(); time.Since(begin) < time.Hour; {
					ask()
					time.Sleep(time.Second / 6)
				}
				if n := strings.Count(log.String(), "OOM command"); n < 1 || n > 3+6 { // and each login of a sharing goes past the lock
					t.Errorf("an hour of errors was logged %d times:\n%s", n, log.String()[:min(len(log.String()), 3000)])
				}
				if n := store.calls.Load() - before; n > 9500 { // by a sharing: a read and a publication in 0.8 s at least, and its logins' own
					t.Errorf("the store was asked %d times in an hour", n)
				}
				store.err.Store(nil)
				ask()
				time.Sleep(2 * time.Minute)
				ask()
				time.Sleep(time.Second)
				if strings.Count(log.String(), "again") < 1 {
					t.Errorf("the end isn't logged:\n%s", log.String()[max(0, len(log.String())-2000):])
				}
			})
		})
	}
}

// A caller who gets a token although its renewal failed finds that in the log: a program that
// ends now, after a flush of the log, has reported the failure.
func TestAFailureIsLoggedBeforeItsCallersGo(t *testing.T) {
	service, cfg := newService(t, time.Hour)
	stale := mustToken(t, newSession(t, cfg)).WithExpiry(time.Now().Add(time.Minute))
	service.Inject(identity.MustParseFault("503"), 0)
	for range 300 {
		var store storetest.Memory
		if err := store.Publish(t.Context(), stale); err != nil {
			t.Fatal(err)
		}
		var log testkit.Output
		var queue logqueue.Queue
		cfg.Logger = slog.New(queue.Handler(slog.NewTextHandler(&log, nil)))
		s := join(t, cfg, &store)
		mustToken(t, s)
		queue.Flush(t.Context())
		if n := strings.Count(log.String(), "no new token"); n != 1 {
			t.Fatalf("the failure was logged %d times before the caller had its token", n)
		}
	}
}
