package shsession

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"
)

// A Session is a cached token and a way to refill it. Make one with [New], [FromToken],
// [Collect], [Follow] or [Join]. It is safe to use by any number of goroutines, needs no
// Close, and runs nothing in the background but a renewal that a caller started.
type Session struct {
	cur atomic.Pointer[entry] // never nil

	refill    refill // nil if there is no other token to be had
	clientID  string // "" if it's the token that says
	window    time.Duration
	early     float64 // the least part of the window that a token is renewed at; below 1, a random part is drawn for each
	attempts  int
	retryWait time.Duration
	allowHTTP bool
	alone     bool                    // logs in without taking turns
	joined    Store                   // where a Join publishes, or nil
	peek      func(ask) (Token, bool) // looks there for a token that will do, or nil
	turn      time.Duration           // the longest that one login takes, with all attempts
	logger    *slog.Logger
	onToken   func(Token)
	warnOnce  sync.Once // for the warning that the token has expired

	apiOnce sync.Once // for api
	api     lazyTransport

	mu        sync.Mutex // guards the fields below
	flight    *flight    // the renewal under way, or nil
	gate      gate
	refused   Token // the last one that was discarded
	counts    counts
	listeners map[chan<- struct{}]struct{}
}

// A refill gets one token from wherever the session's tokens come from, in one attempt
// with a timeout of its own. It may return a token together with an error: one that will
// do, though a better one couldn't be had.
type refill func(ctx context.Context, ask ask) (Token, error)

// An ask says what kind of token is wanted.
type ask struct {
	usable func(Token) bool // whether a token found somewhere is as good as a new one
	valid  func(Token) bool // whether it will do until there's a better one
	urgent bool             // the session has no valid token

	withheld func() bool // whether a new token isn't to be published any more
}

// An entry is a token and the Unix times, in nanoseconds, that its states begin at.
// Immutable.
type entry struct {
	token     Token
	staleAt   int64 // fresh before this
	expiredAt int64
	since     time.Time // when it was installed
	rejected  bool      // the server refused it
}

func newSession(refill refill, window time.Duration, logger *slog.Logger) *Session {
	s := &Session{refill: refill, window: window, early: 1, attempts: 1, logger: logger}
	s.cur.Store(&entry{})
	return s
}

// New returns a session that logs in when a token is first asked for, and again before it
// expires. It doesn't block. The error says what is wrong with cfg.
//
// Python: SentinelHubSession(config, refresh_before_expiry), which logs in at once.
func New(cfg Config) (*Session, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	var s *Session
	s = newConfigured(cfg, func(ctx context.Context, _ ask) (Token, error) { return s.login(ctx, cfg) })
	s.alone = true
	return s, nil
}

// newConfigured returns a session with the settings of a complete config.
func newConfigured(cfg Config, refill refill) *Session {
	s := newSession(refill, cfg.RefreshBeforeExpiry, cfg.Logger)
	s.clientID = cfg.ClientID
	s.attempts, s.retryWait, s.turn = cfg.MaxAttempts, cfg.RetryWait, cfg.longestLogin()
	s.allowHTTP, s.onToken = cfg.AllowHTTP, cfg.OnToken
	return s
}

// errSameToken is why a login brought nothing.
var errSameToken = errors.New("the token in the answer is the one to be replaced")

// login fetches a token and counts that.
func (s *Session) login(ctx context.Context, cfg Config) (Token, error) {
	t, err := cfg.fetch(ctx)
	if err != nil {
		return Token{}, err
	}
	s.mu.Lock()
	s.counts.logins++
	s.mu.Unlock()
	s.logger.Debug("logged in", "client_id", cfg.ClientID, "token_url", cfg.TokenURL, "expires_at", t.ExpiresAt())
	if again(t, s.cur.Load().token) {
		return Token{}, &EndpointError{TokenURL: cfg.TokenURL, Status: http.StatusOK, Err: errSameToken}
	}
	return t, nil
}

// FromToken returns a session that only ever has t. Python: from_token.
func FromToken(t Token) *Session {
	s := newSession(nil, Never, slog.Default())
	if !t.IsZero() {
		s.cur.Store(s.entryFor(t))
	}
	return s
}

// Token returns a valid token, which it renews first when that is due.
//
// With a fresh token it returns at once, without a lock. While the token is stale the
// first caller renews it and waits; the others get the token that there is, and so does
// the first if that fails or its ctx ends. With no valid token every caller waits for one
// login, until it has ended or ctx has: a renewal goes on for the others when a caller
// leaves.
//
// An error is or wraps an [*AuthError] if the credentials were refused, an
// [*EndpointError] if no token could be had, ctx's error, or a Store's. An expired token
// that can't be renewed is returned together with [ErrExpired].
func (s *Session) Token(ctx context.Context) (Token, error) {
	if e := s.cur.Load(); time.Now().UnixNano() < e.staleAt {
		return e.token, nil
	}
	return s.renewed(ctx, 0)
}

// TokenFor is like Token for a caller who needs the token to be valid for at least
// minTTL: a token with less is renewed, and every such caller waits. The error wraps
// [ErrLifeTooShort] if that is more than nine tenths of the life of the service's tokens:
// whoever asks for all of it would log in at every call.
func (s *Session) TokenFor(ctx context.Context, minTTL time.Duration) (Token, error) {
	e := s.cur.Load()
	if now := time.Now().UnixNano(); now < e.staleAt && e.remaining(now) >= minTTL {
		return e.token, nil
	}
	return s.renewed(ctx, minTTL)
}

// Headers returns the header that authorises a request, to be added to it. It blocks and
// fails as Token does. The caller owns it. Python: session_headers.
func (s *Session) Headers(ctx context.Context) (http.Header, error) {
	t, err := s.Token(ctx)
	if t.IsZero() {
		return nil, err
	}
	return http.Header{"Authorization": {t.bearer()}}, err
}

// Info returns the token's claims. It blocks and fails as Token does, and as
// [Token.Claims] does. Python: info().
func (s *Session) Info(ctx context.Context) (Claims, error) {
	t, err := s.Token(ctx)
	if t.IsZero() {
		return Claims{}, err
	}
	claims, claimsErr := t.Claims()
	return claims, errors.Join(err, claimsErr)
}

// TokenSource returns the session as an oauth2.TokenSource, whose Token has no context:
// it blocks for as long as a login may take.
func (s *Session) TokenSource() oauth2.TokenSource { return tokenSource{s} }

type tokenSource struct{ s *Session }

func (ts tokenSource) Token() (*oauth2.Token, error) {
	t, err := ts.s.Token(context.Background())
	if err != nil {
		return nil, err
	}
	return &oauth2.Token{AccessToken: t.AccessToken(), TokenType: "Bearer", Expiry: t.ExpiresAt()}, nil
}

// Reject says that a server refused t. If t is still the session's token, it will be
// renewed the next time that one is asked for, unless tokens were refused again and again
// just now: then only after a wait. A session that doesn't renew ignores it.
func (s *Session) Reject(t Token) {
	if s.discard(t, t.Life()) { // if one lasts for half of its life, the next may have another cause
		s.logger.Warn("the server refused the token, so it will be renewed", "client_id", s.client())
	}
}

// Renew replaces the session's token by a new one now, whatever life it has left, and
// returns that. It blocks and fails as TokenFor does. If no new token can be had, or the
// last one was renewed so just a moment ago, it returns the token there is together with
// an error.
func (s *Session) Renew(ctx context.Context) (Token, error) {
	if !s.renews() {
		return Token{}, ErrNotRefreshing
	}
	old := s.cur.Load().token
	s.discard(old, maxWait)
	t, err := s.Token(ctx)
	if err != nil || !t.Equal(old) {
		return t, err
	}
	if err = s.lastFailure(); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = errors.New("there was no newer one to be had, or it was renewed a moment ago")
	}
	return t, fmt.Errorf("the token is still the old one: %w", err)
}

// discard marks t for renewal, if it's the session's token, and reports whether it did.
// young is for the gate.
func (s *Session) discard(t Token, young time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.cur.Load()
	if !s.renews() || e.rejected || t.IsZero() || !e.token.Equal(t) {
		return false
	}
	age := time.Since(e.since)
	if t.Life() > 0 {
		age = t.Life() - t.Remaining()
	}
	s.gate.discarded(age, t.Life(), young, time.Until(time.Unix(0, e.expiredAt)))
	s.refused = t
	discarded := *e
	discarded.rejected, discarded.staleAt = true, 0
	s.cur.Store(&discarded)
	return true
}

// renews reports whether the session gets new tokens after its first.
func (s *Session) renews() bool { return s.refill != nil && s.window >= 0 }

// client returns the id of the client that the session's tokens are issued to, "" if that
// can't be told.
func (s *Session) client() string {
	if s.clientID != "" {
		return s.clientID
	}
	return clientOf(s.cur.Load().token)
}

// clientOf returns the client that t was issued to, "" if that can't be told.
func clientOf(t Token) string {
	claims, err := t.Claims()
	if err != nil {
		return ""
	}
	return claims.ClientID()
}

// String describes the session without its secrets.
func (s *Session) String() string {
	return fmt.Sprintf("session of client %q with %v", s.client(), s.cur.Load().token)
}

// Format writes what String returns, whatever the verb: reflection would read fields that
// are in use.
func (s *Session) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }
