package shsession

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession/internal/lockholder"
)

const (
	// storeTimeout bounds one reading of a store, and one publication.
	storeTimeout = 10 * time.Second

	// A Follow looks for a new token, and a Join renews it, somewhat later than a Sharing
	// with the same window renews it. Each does so at a random moment in a part of the
	// window, so that the token is renewed by then and ten thousand don't look at once.
	followJitter = 0.5
	joinJitter   = 0.8
)

// errNoStore refuses a nil Store.
var errNoStore = errors.New("the store is nil")

// Collect reads a store's token once and returns a session that keeps that token and never
// renews it. The error wraps [ErrNotShared] if the store has no token. Collect blocks until
// the store answers or ctx is done. Python: collect_shared_session.
func Collect(ctx context.Context, store Store) (*Session, error) {
	if store == nil {
		return nil, errNoStore
	}
	t, err := store.Load(ctx)
	if err != nil {
		return nil, err
	}
	return FromToken(t), nil
}

// Follow returns a session that takes its tokens from a store, where another process keeps
// a token fresh: for workers without credentials. It doesn't block. The session reads the
// store at the first call of Token and then about once in a token's life.
//
// Its Token returns an error that wraps [ErrNotShared] while no token is shared, and
// [ErrExpired] while the shared token has expired.
func Follow(store Store) *Session { return FollowWith(Config{}, store) }

// FollowWith is Follow with settings: of cfg, BaseURL, RefreshBeforeExpiry, AllowHTTP, Logger
// and OnToken are used. It needs no credentials.
func FollowWith(cfg Config, store Store) *Session {
	s := newSession(Config{
		RefreshBeforeExpiry: orDefault(cfg.RefreshBeforeExpiry, DefaultRefreshBeforeExpiry),
		BaseURL:             cfg.BaseURL, AllowHTTP: cfg.AllowHTTP, Logger: cfg.Logger, OnToken: cfg.OnToken,
	})
	s.windowJitter = followJitter
	s.source = func(ctx context.Context, request request) (Token, error) { return followed(ctx, store, request) }
	return s
}

// followed returns the token in a store, if the request accepts it.
func followed(ctx context.Context, store Store, request request) (Token, error) {
	if store == nil {
		return Token{}, errNoStore
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	t, err := store.Load(ctx)
	switch {
	case err != nil:
		return Token{}, err
	case request.isFresh(t):
		return t, nil
	case request.isAcceptable(t):
		return t, errNothingNew
	case t.Remaining() <= margin(t.Life()):
		return Token{}, fmt.Errorf("%w at %s, and no process has renewed the shared one",
			ErrExpired, t.ExpiresAt().UTC().Format(time.RFC3339))
	}
	return Token{}, errNothingNew
}

// Join returns a session for one of any number of equal processes that share one token in a
// store. The first process that finds no fresh token there takes the store's lock, reads
// again, logs in and publishes; the others read. No process owns the token: when one dies,
// at any moment, another goes on.
//
// Join doesn't block. A member doesn't log in while the store can't be reached: otherwise
// every process would log in.
func Join(cfg Config, store Store) (*Session, error) {
	if store == nil {
		return nil, errNoStore
	}
	s, err := New(cfg)
	if err != nil {
		return nil, err
	}
	s.windowJitter = joinJitter
	s.enter(&member{session: s, store: store, publishTo: store})
	return s, nil
}

// A member is a session's membership in a store: the one way in which several processes
// take turns at logging in. A Join is a member for life, and a session that is shared
// for as long as its Sharing runs.
type member struct {
	session *Session
	store   Store
	holder  lockholder.Observed[*cachedToken] // of the store's lock; used by the refresh under way alone

	publishTo interface { // where a new token goes: the store, or a Sharing's view of it
		Publish(context.Context, Token) error
	}
	sharing bool        // the membership of a Sharing: it logs in alone while the store fails
	left    atomic.Bool // the membership has ended: it publishes no more tokens
}

// enter makes a session take turns. The first membership counts.
func (s *Session) enter(m *member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = append(s.members, m)
}

// leave ends what a Sharing has to do with a session's memberships: its own one, and the
// refresh that is under way in a Join's one of the same store. That refresh publishes
// nothing, since the Sharing withdraws the token for good; the Join goes on.
func (s *Session) leave(own *member, sinks []*sinkState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, m := range s.members {
		withdrawn := slices.ContainsFunc(sinks, func(o *sinkState) bool { return sinkName(o.sink) == sinkName(m.store) })
		if m != own && !m.sharing && withdrawn {
			m.left.Store(true)
			s.members[i] = &member{session: s, store: m.store, publishTo: m.publishTo}
		}
	}
	if own != nil {
		own.left.Store(true)
		s.members = slices.DeleteFunc(s.members, func(m *member) bool { return m == own })
	}
}

// member returns the membership that the session's logins go through, or nil.
func (s *Session) member() *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.members) == 0 {
		return nil
	}
	return s.members[0]
}

// poll looks for a token in the session's store, while it waits to try again. It doesn't
// read a store that has just failed.
func (s *Session) poll(ctx context.Context, request request) (Token, bool) {
	m := s.member()
	if m == nil || s.untilRead() > 0 {
		return Token{}, false
	}
	t, err := m.load(ctx)
	s.mu.Lock()
	s.backoff.readStore(err)
	s.mu.Unlock()
	return t, err == nil && request.isAcceptable(t)
}

// untilRead returns how long a store that has failed isn't to be read.
func (s *Session) untilRead() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.backoff.nextRead)
}

// refresh reads the store until there is a fresh token or it is this session's turn to
// fetch one.
func (m *member) refresh(ctx context.Context, request request) (Token, error) {
	begin := time.Now()
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 200*time.Millisecond) {
		t, err := m.load(ctx)
		if err == nil && request.isFresh(t) {
			return t, nil
		}
		var fetched Token
		if err == nil {
			fetched, err = m.refreshLocked(ctx, request)
		}
		acceptable := request.isAcceptable(t)
		if acceptable && fetched.IsZero() {
			fetched = t // it can be used, whatever err says of the lock
		}
		switch {
		case err == nil, isNoted(err):
			return fetched, err
		case !errors.Is(err, ErrLocked):
			if m.sharing && isStoreError(err) {
				return m.refreshUnlocked(ctx, fetched, err) // one extra login is better than an expired token
			}
			return fetched, err
		}
		m.holder.Observe(holderOf(err), m.session.cur.Load(), 2*storeTimeout)
		switch waited := time.Since(begin); {
		case m.holder.Stuck(m.longestTurn()):
			return m.refreshUnlocked(ctx, fetched, fmt.Errorf("%w for %v", ErrLocked, m.holder.HeldFor()))
		case acceptable: // another process is renewing it, and the token can be used until then
			return t, errNothingNew
		case !request.urgent:
			return Token{}, errNothingNew
		case waited > m.longestTurn()+3*storeTimeout:
			return Token{}, fmt.Errorf("%w: others are trying to log in, and in %v none has brought one", errNothingNew, waited)
		}
		<-time.After(wait/2 + rand.N(wait))
	}
}

// refreshLocked takes the lock, looks again, and fetches and publishes a token. It returns
// ErrLocked at once when another process has the lock, and a notedError when another has
// just failed.
func (m *member) refreshLocked(ctx context.Context, request request) (Token, error) {
	cfg, err := m.session.credentials(ctx)
	if err != nil {
		return Token{}, err
	}
	var last Note
	held, unlock, err := m.store.TryLock(ctx, func(n Note) bool {
		if others := n.Secret != "" && n.Secret != cfg.secretHash(); others {
			return true // the refusal of another secret
		}
		last = n
		return request.forced || n.Remaining() == 0
	})
	var locked *LockedError
	if errors.As(err, &locked) && !locked.Note.IsZero() {
		return Token{}, cfg.noted(locked.Note)
	}
	if err != nil {
		return Token{}, err
	}
	t, err := m.load(held)
	if err != nil || request.isFresh(t) {
		unlock(Note{})
		return t, err
	}
	fetched, err := m.session.login(held, cfg)
	if err != nil {
		unlock(cfg.noteOf(err, last.Failures))
		if !request.isAcceptable(t) {
			t = Token{}
		}
		return t, err
	}
	defer unlock(Note{})
	m.publish(held, fetched)
	return fetched, nil
}

// refreshUnlocked logs in without the lock: the store fails, or the process that keeps the
// lock may be stopped. If that fails it returns there, a token that can be used until then.
func (m *member) refreshUnlocked(ctx context.Context, there Token, why error) (Token, error) {
	m.session.cfg.Logger.Warn("logging in without the store's lock", "store", sinkName(m.store), "error", why)
	cfg, err := m.session.credentials(ctx)
	if err != nil {
		return there, err
	}
	t, err := m.session.login(ctx, cfg)
	if err != nil {
		return there, err
	}
	m.publish(ctx, t)
	return t, nil
}

// longestTurn is how long a process keeps the lock, if it isn't stopped: it looks, logs in
// and publishes.
func (m *member) longestTurn() time.Duration { return m.session.cfg.Timeout + 2*storeTimeout }

// publish publishes a fetched token. If that fails, the session still uses the token.
func (m *member) publish(ctx context.Context, t Token) {
	if m.left.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := m.publishTo.Publish(ctx, t)
	if err == nil && m.left.Load() { // meanwhile, by a Sharing that has withdrawn what was there before
		err = m.store.Withdraw(ctx)
	}
	if err != nil && !m.sharing { // a Sharing says so itself
		m.session.cfg.Logger.Warn("the new token couldn't be shared", "store", sinkName(m.store), "error", err)
	}
}

// load reads the store, within storeTimeout. It returns the zero Token if the store is
// empty, or holds a token of another account that has no users. A Sharing has registered its
// account, so another account's token is in its place.
func (m *member) load(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	t, err := m.store.Load(ctx)
	if err != nil && !errors.Is(err, ErrNotShared) {
		if !m.sharing {
			err = fmt.Errorf("not logging in, since the shared token can't be read: %w", err)
		}
		return Token{}, &storeError{err}
	}
	if m.sharing {
		if !t.Account().Matches(m.session.account()) {
			return Token{}, nil
		}
		return t, nil
	}
	return checkAccount(ctx, m.store, t, m.session.account())
}

// checkAccount returns a token that was found in a store, if it can be of the account. It
// returns the zero Token if t is of another account and has no users. It returns a
// ConflictError if a process shares a token of another account there, or if t is of another
// account, valid, and may have users.
func checkAccount(ctx context.Context, store Store, t Token, account Account) (Token, error) {
	there := t.Account()
	if !t.IsZero() && there.ClientID != "" && there.Matches(account) {
		return t, nil
	}
	live, dead, err := sharersOf(ctx, store)
	if err != nil {
		return Token{}, &storeError{fmt.Errorf("%s: %w", sinkName(store), err)}
	}
	for _, sharer := range live {
		if !sharer.Matches(account) {
			return Token{}, &ConflictError{Store: sinkName(store), Account: sharer.Account, Own: account, Sharers: []Sharer{sharer}}
		}
	}
	switch {
	case t.IsZero() || there.Matches(account):
		return t, nil
	case t.Remaining() > 0 && !orphaned(live, dead):
		return Token{}, &ConflictError{Store: sinkName(store), Account: there, Own: account, Sharers: live}
	}
	return Token{}, nil
}

// holderOf returns the holder that an error of TryLock names, "" if it names none.
func holderOf(err error) string {
	var locked *LockedError
	if errors.As(err, &locked) {
		return locked.Holder
	}
	return ""
}
