// Package cache is this machine's cache of tokens: a private segment of shared memory for each
// client of each user. All of a user's processes that log in with one client have one token there,
// and take turns at renewing it.
package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/shm"
)

// Session returns a session that has its token in common with this machine's other processes of
// cfg's client. The cache helps and never hinders: whenever it can't be read, locked or written (no
// place for it, a full or read-only one, another user's file in its place), the session logs in for
// itself alone. unused, if not nil, is then called with the reason, and again when the cache fails
// after it has worked. Session doesn't block.
func Session(cfg shsession.Config, unused func(error)) (*shsession.Session, error) {
	name := Name(cfg)
	segment, err := shm.Open(name)
	if err != nil {
		tell(unused, err)
		return shsession.New(cfg)
	}
	cfg.Logger.Debug("this machine's cache", "cache", name)
	return shsession.Join(cfg, &store{Store: segment, unused: unused})
}

// LogInAnew returns a token that no cache had before. session is a new one, of [Session] or not.
func LogInAnew(ctx context.Context, session *shsession.Session) (shsession.Token, error) {
	t, err := session.Token(ctx)
	if err == nil && session.Status().Logins == 0 { // it is the cache's
		t, err = session.Renew(ctx)
	}
	return t, err
}

// Limits returns the state of the rate limit of cfg's client, beside its token. It is nil if this
// machine has no place for that.
func Limits(cfg shsession.Config) (ratelimit.State, error) {
	segment, err := shm.Open(Name(cfg))
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return segment.Limits(), nil
}

// A store is a segment that stands in for an empty one while it fails: Load finds no token, TryLock
// succeeds, and Publish does nothing.
type store struct {
	*shm.Store
	unused func(error) // nil for none

	mu      sync.Mutex // guards failing
	failing bool
}

// Load is [shm.Store.Load].
func (s *store) Load(ctx context.Context) (shsession.Token, error) {
	t, err := s.Store.Load(ctx)
	if err == nil || errors.Is(err, shsession.ErrNotShared) || ctx.Err() != nil {
		return t, err
	}
	s.failed(err)
	return shsession.Token{}, shsession.ErrNotShared
}

// TryLock is [shm.Store.TryLock].
func (s *store) TryLock(ctx context.Context, pass func(shsession.Note) bool) (context.Context, func(shsession.Note), error) {
	held, unlock, err := s.Store.TryLock(ctx, pass)
	if err == nil || errors.Is(err, shsession.ErrLocked) || ctx.Err() != nil {
		return held, unlock, err
	}
	s.failed(err)
	return ctx, func(shsession.Note) {}, nil
}

// Publish is [shm.Store.Publish].
func (s *store) Publish(ctx context.Context, t shsession.Token) error {
	err := s.Store.Publish(ctx, t)
	if err == nil || ctx.Err() != nil {
		s.setFailing(err != nil)
		return err
	}
	s.failed(err)
	return nil
}

// failed reports that the cache isn't used, unless that is known.
func (s *store) failed(err error) {
	if !s.setFailing(true) {
		tell(s.unused, err)
	}
}

// tell calls unused, unless it is nil.
func tell(unused func(error), err error) {
	if unused != nil {
		unused(fmt.Errorf("logging in without this machine's cache: %w", err))
	}
}

func (s *store) setFailing(failing bool) (before bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, s.failing = s.failing, failing
	return before
}
