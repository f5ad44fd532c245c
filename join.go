package shsession

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	// storeTimeout bounds one reading of a store, and one publication.
	storeTimeout = 10 * time.Second

	// A Follow looks for a new token, and a Join renews it, somewhat later than a Sharing
	// with the same window does: each at a random moment in a part of the window, so that
	// the first to look finds it renewed and ten thousand don't look at once.
	followEarly = 0.5
	joinEarly   = 0.8
)

// Collect reads a store's token once and returns a session that only ever has that. The
// error wraps [ErrNotShared] if there is none. It blocks until the store answers or ctx
// is done. Python: collect_shared_session.
func Collect(ctx context.Context, store Store) (*Session, error) {
	t, err := store.Load(ctx)
	if err != nil {
		return nil, err
	}
	return FromToken(t), nil
}

// Follow returns a session that takes its tokens from a store, where somebody else keeps
// one fresh: for workers without credentials. It doesn't block, and reads the store when
// a token is first asked for and then about once in a token's life.
//
// Its Token returns an error that wraps [ErrNotShared] while nothing is shared, and
// [ErrExpired] while what is shared is past its time.
func Follow(store Store) *Session { return FollowWith(Config{}, store) }

// FollowWith is Follow with settings: of cfg, RefreshBeforeExpiry, AllowHTTP, Logger and
// OnToken are used. It needs no credentials.
func FollowWith(cfg Config, store Store) *Session {
	s := newSession(followRefill(store),
		orDefault(cfg.RefreshBeforeExpiry, DefaultRefreshBeforeExpiry), orDefault(cfg.Logger, slog.Default()))
	s.early = followEarly
	s.allowHTTP, s.onToken = cfg.AllowHTTP, cfg.OnToken
	return s
}

func followRefill(store Store) refill {
	return func(ctx context.Context, ask ask) (Token, error) {
		ctx, cancel := context.WithTimeout(ctx, storeTimeout)
		defer cancel()
		t, err := store.Load(ctx)
		switch {
		case err != nil:
			return Token{}, err
		case ask.usable(t):
			return t, nil
		case ask.valid(t):
			return t, errNothingNew
		case t.Remaining() <= margin(t.Life()):
			return Token{}, fmt.Errorf("%w at %s, and nobody has renewed the shared one",
				ErrExpired, t.ExpiresAt().UTC().Format(time.RFC3339))
		}
		return Token{}, errNothingNew
	}
}

// Join returns a session for one of any number of equal processes that have one token
// between them, in a store. Whoever finds no fresh token there takes the store's lock,
// looks again, logs in and publishes; the others read. Nobody owns the token: when a
// process dies, at whatever moment, the next one goes on.
//
// Join doesn't block. It doesn't log in while the store can't be reached, or every
// process would.
func Join(cfg Config, store Store) (*Session, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	j := &joiner{cfg: cfg, store: store}
	j.session = newConfigured(cfg, j.refill)
	j.session.joined, j.session.peek = store, j.peek
	j.session.early = joinEarly
	return j.session, nil
}

// A joiner refills a session from a store that others refill too.
type joiner struct {
	cfg     Config
	store   Store
	session *Session
	stuck   stall // somebody else's turn; the flight's under way
}

// refill reads the store until there is a fresh token or it's our turn to fetch one.
func (j *joiner) refill(ctx context.Context, ask ask) (Token, error) {
	begin, extra := time.Now(), rand.N(2*storeTimeout) // so that members don't lose patience at once
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		t, err := j.load(ctx)
		if err != nil {
			return Token{}, err
		}
		if ask.usable(t) {
			return t, nil
		}
		fetched, err := j.turn(ctx, ask)
		switch {
		case !errors.Is(err, ErrLocked):
			return fetched, err
		case ask.valid(t): // somebody is renewing it, and it will do until then
			j.stuck.note(err)
			return t, errNothingNew
		case !ask.urgent:
			return Token{}, errNothingNew
		}
		j.stuck.note(err)
		waited, overdue := time.Since(begin), j.stuck.lasts()-j.longestTurn()
		switch {
		case min(waited, overdue) > extra:
			return j.pass(ctx, ask)
		case waited > j.longestTurn()+extra+storeTimeout:
			return Token{}, fmt.Errorf("%w: others are trying to log in, and in %v none has brought one", errNothingNew, waited)
		}
		<-time.After(pause/2 + rand.N(pause))
	}
}

// peek looks for a token that will do, while this member waits to try again.
func (j *joiner) peek(ask ask) (Token, bool) {
	t, err := j.load(context.Background())
	return t, err == nil && ask.valid(t)
}

// longestTurn is how long a member keeps the lock, if it isn't stopped: it looks, logs in
// and publishes, or waits after a failure.
func (j *joiner) longestTurn() time.Duration {
	return j.cfg.Timeout + 2*storeTimeout + j.cfg.RetryWait
}

// pass logs in past the lock: whoever has had it all the time may be stopped rather than
// dead.
func (j *joiner) pass(ctx context.Context, ask ask) (Token, error) {
	j.session.logger.Warn("another process has the lock and has brought no token, so this one logs in without it",
		"store", sinkName(j.store), "locked_for", j.stuck.lasts())
	t, err := j.session.login(ctx, j.cfg)
	if err == nil {
		j.publish(ctx, t, ask)
	}
	return t, err
}

// publish shares a token that was fetched, which is as good to have if that fails.
func (j *joiner) publish(ctx context.Context, t Token, ask ask) {
	if ask.withheld() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := j.store.Publish(ctx, t)
	if err == nil && ask.withheld() { // by a Sharing that has withdrawn what was there before
		err = j.store.Withdraw(ctx)
	}
	if err != nil {
		j.session.logger.Warn("the new token couldn't be shared", "store", sinkName(j.store), "error", err)
	}
}

// load reads the store, within storeTimeout, and returns the zero Token if it's empty.
func (j *joiner) load(ctx context.Context) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	t, err := j.store.Load(ctx)
	if errors.Is(err, ErrNotShared) {
		return Token{}, nil
	}
	if err != nil {
		return Token{}, fmt.Errorf("not logging in, since the shared token can't be read: %w", err)
	}
	if clientOf(t) == j.cfg.ClientID {
		return t, nil
	}
	return ours(ctx, j.store, t, j.cfg.ClientID)
}

// ours returns t, which was found in a store and doesn't say that it is of our client, if
// it may be: an opaque one doesn't say. It returns the zero Token if t is another client's
// and of no use to anybody, and a ConflictError if somebody shares another client's token
// there, or t is one that is valid and may have its users.
func ours(ctx context.Context, store Store, t Token, clientID string) (Token, error) {
	live, dead, err := sharersOf(ctx, store)
	if err != nil {
		return Token{}, fmt.Errorf("%s: %w", sinkName(store), err)
	}
	for _, sharer := range live {
		if !sameClient(sharer.ClientID, clientID) {
			return Token{}, &ConflictError{Store: sinkName(store), ClientID: sharer.ClientID, Sharers: []Sharer{sharer}}
		}
	}
	switch client := clientOf(t); {
	case sameClient(client, clientID):
		return t, nil
	case t.Remaining() > 0 && !orphaned(live, dead):
		return Token{}, &ConflictError{Store: sinkName(store), ClientID: client, Sharers: live}
	}
	return Token{}, nil
}

// turn takes the lock, looks again, and fetches and publishes a token. It returns
// ErrLocked at once when it's somebody else's turn.
func (j *joiner) turn(ctx context.Context, ask ask) (Token, error) {
	held, unlock, err := j.store.TryLock(ctx)
	if err != nil {
		return Token{}, err
	}
	t, err := j.load(held)
	if err != nil || ask.usable(t) {
		unlock()
		return t, err
	}
	if t.IsZero() {
		if _, err := ours(held, j.store, t, j.cfg.ClientID); err != nil {
			unlock()
			return Token{}, err // somebody shares another client's token, though it is gone for now
		}
	}
	fetched, err := j.session.login(held, j.cfg)
	if err != nil {
		// Keep the turn for a while, or every process would have its own try at a service
		// that is in trouble.
		hold := j.cfg.RetryWait
		if !ask.valid(t) {
			t = Token{}
		} else {
			hold = min(hold, max(t.Remaining()/4, time.Second))
		}
		time.AfterFunc(hold, unlock)
		return t, err
	}
	defer unlock()
	j.publish(held, fetched, ask)
	return fetched, nil
}

// sameClient reports whether two client ids, each "" if it can't be told, can be the
// same.
func sameClient(a, b string) bool { return a == "" || b == "" || a == b }

// sinkName returns what a sink calls itself.
func sinkName(sink Sink) string {
	if named, ok := sink.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("%T", sink)
}
