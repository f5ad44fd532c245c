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

	"github.com/shsession/shsession/internal/logqueue"
	"github.com/shsession/shsession/internal/netenv"
)

// A Session is a cached token and a source of new ones. Make one with [New], [FromToken],
// [Collect], [Follow] or [Join]. It is safe to use by any number of goroutines, needs no
// Close, and runs only a refresh in the background, which a caller started.
type Session struct {
	cur atomic.Pointer[cachedToken] // never nil

	cfg          Config  // complete; without credentials in a session that doesn't log in
	source       source  // nil if the session never gets another token
	windowJitter float64 // the least part of the window that a token is renewed at; below 1, a random part is drawn for each token

	warnOnce sync.Once         // for the warning that the token has expired
	api      http.RoundTripper // sends the requests of Transport(nil)

	mu      sync.Mutex    // guards the fields below
	changed chan struct{} // closed, and replaced, when a token is installed
	refresh *refresh      // the one under way, or nil
	backoff backoff
	refused Token // the last token that a server refused
	counts  counts
	used    string    // a hash of the client secret that was read last
	read    time.Time // when it was
	members []*member // the first takes turns for the session's logins
}

// A source gets one token for the session, from a token endpoint or a store, in one attempt
// with a timeout of its own. It may return a token together with an error: an acceptable
// token, when getting a better one failed.
type source func(ctx context.Context, request request) (Token, error)

// A request says what kind of token a source is asked for.
type request struct {
	isFresh      func(Token) bool // whether a token in a store is as good as a new one
	isAcceptable func(Token) bool // whether a token can be used until there is a better one
	urgent       bool             // the session has no valid token
	forced       bool             // ignore other processes' notes about failed logins
}

func newSession(cfg Config) *Session {
	s := &Session{cfg: cfg, windowJitter: 1, api: netenv.ForAPIs(), changed: make(chan struct{})}
	s.cfg.MaxAttempts = max(1, cfg.MaxAttempts)
	s.cfg.Logger = logqueue.Logger(orDefault(cfg.Logger, slog.Default()))
	s.cur.Store(&cachedToken{})
	return s
}

// New returns a session that logs in when a token is first asked for, unless Config.Token is
// valid, and again before each token expires. New doesn't block. The error says what is wrong with cfg.
//
// Python: SentinelHubSession(config, refresh_before_expiry), which logs in at once.
func New(cfg Config) (*Session, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := newSession(cfg)
	if !cfg.Token.IsZero() {
		s.cur.Store(s.cached(cfg.Token))
	}
	s.source = s.endpointSource
	return s, nil
}

// endpointSource logs in. If the session is a member of a store, it takes turns with the others.
func (s *Session) endpointSource(ctx context.Context, request request) (Token, error) {
	if m := s.member(); m != nil {
		return m.refresh(ctx, request)
	}
	cfg, err := s.credentials(ctx)
	if err != nil {
		return Token{}, err
	}
	return s.login(ctx, cfg)
}

// credentials returns the session's config with the client secret as it is now.
func (s *Session) credentials(ctx context.Context) (Config, error) {
	cfg := s.cfg
	if cfg.ReadSecret == nil {
		return cfg, nil
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	secret, err := cfg.ReadSecret(ctx)
	if err == nil && secret.IsZero() {
		err = ErrNoCredentials
	}
	if err != nil {
		return cfg, &EndpointError{TokenURL: cfg.TokenURL, Permanent: true, Err: fmt.Errorf("reading the client secret: %w", err)}
	}
	cfg.ClientSecret = secret
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used, s.read = cfg.secretHash(), time.Now()
	return cfg, nil
}

// readAgain lets the next attempt start at once, if the last attempt failed for good and the
// client secret has changed since. Unless the attempt is forced, readAgain reads the secret
// once a second at most, since a command may have to be run for it.
func (s *Session) readAgain(ctx context.Context, forced bool) {
	s.mu.Lock()
	now, used := time.Now(), s.used
	look := s.cfg.ReadSecret != nil && s.backoff.permanent() && now.Before(s.backoff.nextAttempt) &&
		(forced || now.Sub(s.read) >= time.Second)
	if look {
		s.read = now
	}
	s.mu.Unlock()
	if !look {
		return
	}
	if now, err := s.credentials(ctx); err == nil && now.secretHash() != used {
		s.mu.Lock()
		s.backoff.nextAttempt = time.Time{}
		s.mu.Unlock()
	}
}

// Why a successful login brought no better token.
var (
	errSameToken    = errors.New("the token in the answer is the one to be replaced")
	errShorterToken = errors.New("the token in the answer expires before the one to be replaced")
)

// login fetches a token from the token endpoint and counts the login. If the credentials are
// refused and the secret has changed since, login tries the new secret.
func (s *Session) login(ctx context.Context, cfg Config) (Token, error) {
	t, err := cfg.fetch(ctx)
	var refused *AuthError
	if errors.As(err, &refused) {
		if now, readErr := s.credentials(ctx); readErr == nil && now.secretHash() != cfg.secretHash() {
			t, err = now.fetch(ctx)
		}
	}
	if err != nil {
		return Token{}, err
	}
	s.mu.Lock()
	s.counts.logins++
	s.mu.Unlock()
	c := s.cur.Load()
	switch {
	case t.Equal(c.token):
		err = errSameToken
	case c.valid(time.Now().UnixNano()) && !c.rejected() && t.ExpiresAt().Before(c.token.ExpiresAt()):
		err = errShorterToken // a renewal never shortens the token's life
	default:
		return t, nil
	}
	return Token{}, &EndpointError{TokenURL: s.cfg.TokenURL, Status: http.StatusOK, Err: err}
}

// FromToken returns a session that only ever has t. Python: from_token.
func FromToken(t Token) *Session {
	s := newSession(Config{RefreshBeforeExpiry: Never})
	if !t.IsZero() {
		s.cur.Store(s.cached(t))
	}
	return s
}

// Token returns a valid token. If renewal is due, it renews the token first.
//
// With a fresh token it returns at once, without a lock. While the token is stale the
// first caller renews it and waits; the others get the current token, and so does the
// first if the renewal fails or its ctx ends. Without a valid token every caller waits for
// one login, until the login or the caller's ctx has ended. The login goes on when a
// caller's ctx ends.
//
// An error is or wraps an [*AuthError] if the credentials were refused, an
// [*EndpointError] if the token endpoint gave no token, ctx's error, or a Store's. An
// expired token that can't be renewed is returned together with [ErrExpired].
func (s *Session) Token(ctx context.Context) (Token, error) {
	if e := s.cur.Load(); time.Now().UnixNano() < e.staleAt {
		return e.token, nil
	}
	return s.get(ctx, want{})
}

// TokenFor is like Token for a caller who needs the token to be valid for at least minTTL.
// A token with less life left is renewed, and every such caller waits. The error wraps
// [ErrLifeTooShort] if minTTL is more than nine tenths of the life of the service's
// tokens: a caller who asks for the whole life would log in at every call.
func (s *Session) TokenFor(ctx context.Context, minTTL time.Duration) (Token, error) {
	e := s.cur.Load()
	if now := time.Now().UnixNano(); now < e.staleAt && e.remaining(now) >= minTTL {
		return e.token, nil
	}
	return s.get(ctx, want{life: minTTL})
}

// Headers returns the Authorization header for a request. It blocks and fails as Token
// does. The caller owns the header. Python: session_headers.
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

// Reject says that a server refused t. If t is still the session's token, the next call of
// Token renews it. If servers have just refused several tokens in a row, the renewal waits
// first. A session that doesn't renew ignores Reject.
func (s *Session) Reject(t Token) {
	if s.discard(t, t.Life()) { // a refusal after half of the token's life may have another cause
		s.cfg.Logger.Warn("the server refused the token, so it will be renewed", "client_id", s.account().ClientID)
	}
}

// Renew replaces the session's token by a new one now, also while the old one is fresh, and
// returns the new token. It blocks and fails as TokenFor does. If that brings no new token,
// or Renew has renewed the token just a moment ago, it returns the current token together
// with an error.
func (s *Session) Renew(ctx context.Context) (Token, error) {
	if !s.renews() {
		return Token{}, ErrNotRefreshing
	}
	old := s.cur.Load().token
	s.discard(old, maxWait)
	t, err := s.get(ctx, want{forced: true})
	if err != nil || !t.Equal(old) {
		return t, err
	}
	if err = s.lastFailure(); err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = errors.New("no newer token was found, or the token was renewed a moment ago")
	}
	return t, fmt.Errorf("the token is still the old one: %w", err)
}

// discard marks t for renewal, if it is the session's token, and reports whether it did.
// young is for the backoff.
func (s *Session) discard(t Token, young time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.cur.Load()
	if !s.renews() || c.rejected() || t.IsZero() || !c.token.Equal(t) {
		return false
	}
	age := time.Since(c.since)
	if t.Life() > 0 {
		age = t.Life() - t.Remaining()
	}
	s.backoff.discarded(age, t.Life(), young, time.Until(time.Unix(0, c.expiredAt)))
	s.refused = t
	discarded := *c
	discarded.staleAt = 0
	s.cur.Store(&discarded)
	return true
}

// renews reports whether the session gets new tokens after its first.
func (s *Session) renews() bool { return s.source != nil && s.cfg.RefreshBeforeExpiry >= 0 }

// account returns the account that the session's tokens are issued to: what its config
// says, completed by its token.
func (s *Session) account() Account {
	account := Account{Issuer: knownServices.IssuerOf(s.cfg.TokenURL), ClientID: s.cfg.ClientID}
	if account.Issuer == "" || account.ClientID == "" {
		told := s.cur.Load().token.Account()
		account.Issuer = orDefault(account.Issuer, knownServices.OneIssuer(told.Issuer))
		account.ClientID = orDefault(account.ClientID, told.ClientID)
	}
	return account
}

// String describes the session without its secrets.
func (s *Session) String() string {
	return fmt.Sprintf("session of client %q with %v", s.account().ClientID, s.cur.Load().token)
}

// Format writes what String returns, for every verb: reflection would read fields that are
// in use.
func (s *Session) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }
