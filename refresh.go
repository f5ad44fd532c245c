package shsession

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shsession/shsession/internal/delay"
)

// A refresh is one renewal, on a context of its own, that any number of callers wait for.
type refresh struct {
	want   want          // of the caller who started it
	urgent bool          // the session had no valid token when it started
	done   chan struct{} // closed when err is set
	err    error
	last   error // why the last attempt failed; guarded by the session's mu
}

// A want says which token a caller asks for. The zero want is for any valid token.
type want struct {
	life   time.Duration // the life that has to be left
	forced bool          // past what other processes noted about failed logins
}

// errNothingNew is a source's answer when it has no better token yet, though nothing
// failed: another process is renewing the token.
var errNothingNew = errors.New("no process has renewed the shared token yet")

// A need says how badly a caller wants a new token.
type need int

const (
	nothing  need = iota // the token will do
	soon                 // the token is stale
	better               // the token is valid, but was refused or has too little life left
	urgently             // there is no valid token
)

// need looks at the session's token for a caller.
func (s *Session) need(want want) (*cachedToken, need) {
	c, now := s.cur.Load(), time.Now().UnixNano()
	switch {
	case !c.valid(now):
		return c, urgently
	case c.rejected(), c.remaining(now) < want.life:
		return c, better
	case now >= c.staleAt && s.renews():
		return c, soon
	}
	return c, nothing
}

// get returns the token that a caller wants, after a refresh if there has to be one. See
// Token for who waits.
func (s *Session) get(ctx context.Context, want want) (Token, error) {
	for {
		changed := s.tokenChanged()
		c, need := s.need(want)
		switch {
		case need == nothing:
			return c.token, nil
		case !s.renews() && (s.source == nil || !c.token.IsZero()):
			return s.final(c, want)
		case c.outlived(want):
			return Token{}, tooShort(c, want)
		case ctx.Err() != nil:
			return s.interrupted(ctx, want)
		case need == urgently && want.life > 0: // any token first, and then one that lives so long
			if t, err := s.get(ctx, without(want)); err != nil {
				return t, err
			}
			continue
		}
		if need == urgently || want.forced {
			s.readAgain(ctx, want.forced)
		}
		r, mine, err := s.startOrJoinRefresh(need, want)
		if err != nil { // the same request would be refused again, but others may have brought a token
			if t, ok := s.poll(ctx, s.requestFor(&refresh{want: want})); ok {
				s.adopt(t)
			}
			if t, missing := s.makeDo(want); missing == nil {
				return t, nil
			}
			return Token{}, err
		}
		if r == nil || need == soon && !mine {
			t, err := s.makeDo(want)
			if errors.Is(err, ErrExpired) {
				continue // just now
			}
			return t, s.because(err)
		}
		select {
		case <-changed: // by the refresh, or by a token from elsewhere, which may do
			continue
		case <-ctx.Done():
			return s.interrupted(ctx, want)
		case <-r.done:
		}
		if t, err, decided := s.outcome(r, need, want); decided {
			return t, err
		}
	}
}

func without(w want) want {
	w.life = 0
	return w
}

// outcome is what a refresh that has ended means for a caller who waited for it. decided is
// false if the refresh was for a caller who wanted less.
func (s *Session) outcome(r *refresh, need need, want want) (t Token, err error, decided bool) {
	t, err = s.makeDo(want)
	switch {
	case err == nil:
		return t, nil, true
	case !r.urgent && errors.Is(err, ErrExpired), r.want.life < want.life:
		return Token{}, nil, false
	case r.err != nil:
		return Token{}, r.err, true
	}
	return Token{}, err, need != urgently
}

// makeDo returns the session's token if it will do for now, due for renewal or not.
func (s *Session) makeDo(want want) (Token, error) {
	c, now := s.cur.Load(), time.Now().UnixNano()
	switch {
	case !c.valid(now):
		return Token{}, ErrExpired
	case c.remaining(now) < want.life:
		return Token{}, tooShort(c, want)
	}
	return c.token, nil
}

// because returns the reason for err: why the last attempt failed, if it did.
func (s *Session) because(err error) error {
	if err == nil {
		return nil
	}
	if last := s.lastFailure(); last != nil {
		return last
	}
	return err
}

// outlived reports whether no token of the service would have the wanted life for long.
func (c *cachedToken) outlived(want want) bool {
	life := c.token.Life()
	return life > 0 && want.life > life-life/10
}

func tooShort(c *cachedToken, want want) error {
	return fmt.Errorf("%w: %v was asked for, and this one has %v left of %v",
		ErrLifeTooShort, want.life, c.token.Remaining().Round(time.Second), c.token.Life())
}

// final returns the only token that a session will ever have.
func (s *Session) final(c *cachedToken, want want) (Token, error) {
	t, err := s.makeDo(want)
	switch {
	case c.token.IsZero():
		return Token{}, ErrNoCredentials
	case errors.Is(err, ErrExpired):
		s.warnOnce.Do(func() {
			s.cfg.Logger.Warn("the token has expired and this session doesn't renew it", "expires_at", c.token.ExpiresAt())
		})
		return c.token, err
	}
	return t, err
}

// interrupted is the answer to a caller whose ctx has ended: the token there is, if it will
// do.
func (s *Session) interrupted(ctx context.Context, want want) (Token, error) {
	if t, err := s.makeDo(want); err == nil {
		return t, nil
	}
	err := context.Cause(ctx)
	if !errors.Is(err, ctx.Err()) {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	err = fmt.Errorf("waiting for a token: %w", err)
	if last := s.lastFailure(); last != nil {
		err = fmt.Errorf("%w; the last attempt failed: %w", err, last)
	}
	return Token{}, err
}

// tokenChanged returns a channel that is closed when the session's token is replaced.
func (s *Session) tokenChanged() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// startOrJoinRefresh returns the refresh under way, or starts one: mine is true then. It
// returns nil if none may start yet and there is a valid token to go on with, or if the
// token was replaced just now. It returns an error if none may start yet and the same
// request would be refused again.
func (s *Session) startOrJoinRefresh(n need, want want) (r *refresh, mine bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refresh != nil {
		return s.refresh, false, nil
	}
	if _, now := s.need(want); now < n {
		return nil, false, nil
	}
	wait := time.Until(s.backoff.nextAttempt)
	if want.forced && isNoted(s.backoff.err) {
		wait = 0
	}
	if wait > 0 && n != urgently {
		return nil, false, nil
	}
	if wait > 0 && s.backoff.permanent() {
		return nil, false, s.backoff.err
	}
	s.refresh = &refresh{urgent: n == urgently, want: want, done: make(chan struct{})}
	go s.runRefresh(s.refresh, wait)
	return s.refresh, true, nil
}

// runRefresh makes the attempts of one refresh, the first after a wait: one attempt while
// there is a valid token to go on with, else up to the session's limit.
func (s *Session) runRefresh(r *refresh, wait time.Duration) {
	tries := 1
	if r.urgent {
		tries = s.cfg.MaxAttempts
	}
	waits := s.newWaits()
	for n := 1; ; n++ {
		if t, ok := s.pause(r, wait); ok {
			s.finishRefresh(r, t, nil)
			return
		}
		t, err := s.source(context.Background(), s.requestFor(r))
		if err != nil && !errors.Is(err, errNothingNew) && !isNoted(err) {
			s.countFailure(r, err)
		}
		var endpoint *EndpointError
		if n >= tries || !t.IsZero() || !errors.As(err, &endpoint) || endpoint.Permanent {
			s.finishRefresh(r, t, err)
			return
		}
		wait = max(waits.NextBackOff(), endpoint.RetryAfter)
		s.logFailure(err, wait)
	}
}

// pause waits before an attempt. It returns early with a token that has come meanwhile: one
// that was adopted or, for a member of a store, one that another process has published.
func (s *Session) pause(r *refresh, wait time.Duration) (Token, bool) {
	for over := time.Now().Add(wait); wait > 0; wait = time.Until(over) {
		changed, request := s.tokenChanged(), s.requestFor(r)
		if t := s.cur.Load().token; request.isFresh(t) || r.urgent && request.isAcceptable(t) {
			return t, true
		}
		look := max(delay.Jitter(delay.PollInterval(0)), s.untilRead())
		select {
		case <-changed:
		case <-time.After(min(look, wait)):
			if look >= wait { // the attempt reads the store
				return Token{}, false
			}
			if t, ok := s.poll(context.Background(), request); ok {
				return t, true
			}
		}
	}
	return Token{}, false
}

// requestFor says what a refresh asks the session's source for.
func (s *Session) requestFor(r *refresh) request {
	s.mu.Lock()
	refused := s.refused
	s.mu.Unlock()
	cached := func(t Token) *cachedToken {
		if c := s.cur.Load(); t.Equal(c.token) {
			return c // the jitter that was drawn for it holds, and the expiry that its callers know
		}
		return s.cached(t)
	}
	isAcceptable := func(t Token) bool {
		c, now := cached(t), time.Now().UnixNano()
		return c.valid(now) && c.remaining(now) >= r.want.life && !t.Equal(refused)
	}
	isFresh := func(t Token) bool {
		return isAcceptable(t) && cached(t).state(time.Now().UnixNano()) == Fresh
	}
	return request{isFresh: isFresh, isAcceptable: isAcceptable, urgent: r.urgent, forced: r.want.forced}
}

// finishRefresh ends a refresh: it installs what the refresh brought, if that is better,
// decides when the next may start, and lets the callers go.
func (s *Session) finishRefresh(r *refresh, t Token, err error) {
	s.mu.Lock()
	now := time.Now().UnixNano()
	old := s.cur.Load()
	var changed chan struct{}
	isNew := !t.IsZero() && !t.Equal(old.token) && (!old.valid(now) || old.rejected() || newer(t, old.token))
	if isNew {
		changed = s.install(t)
	} else if err == nil && s.cur.Load().state(now) != Fresh {
		err = errNothingNew
	}
	if err == nil {
		s.backoff.succeeded()
	} else {
		s.backoff.failed(err, s.cur.Load().remaining(now), s.newWaits)
	}
	wait := time.Until(s.backoff.nextAttempt)
	s.refresh = nil
	s.mu.Unlock()
	r.err = err
	if told := r.urgent && t.IsZero(); err != nil && !told && !errors.Is(err, errNothingNew) {
		s.logFailure(err, wait) // else the callers return it
	}
	close(r.done) // after the record is queued, so that a program that ends now can flush it
	if isNew {
		close(changed)
		s.announce(t)
	}
}

// install makes t the session's token. It returns the channel that the caller closes, with
// s.mu not held, to wake everyone who waits for a change. s.mu is held.
func (s *Session) install(t Token) (changed chan struct{}) {
	changed, s.changed = s.changed, make(chan struct{})
	s.cur.Store(s.cached(t))
	s.counts.renewals++
	return changed
}

// adopt gives the session a token that was found in a store. It is installed if it is
// valid, wasn't refused, and is newer than the session's.
func (s *Session) adopt(t Token) {
	s.mu.Lock()
	c, found := s.cur.Load(), s.cached(t)
	var changed chan struct{}
	better := found.valid(time.Now().UnixNano()) && !t.Equal(s.refused) && !t.Equal(c.token) &&
		(c.rejected() || newer(t, c.token))
	if better {
		changed = s.install(t)
		s.backoff.succeeded()
	}
	s.mu.Unlock()
	if better {
		close(changed)
		go s.announce(t) // which may block, or close the Sharing that adopts
	}
}

// announce tells the log and the program of a new token. s.mu is not held.
func (s *Session) announce(t Token) {
	s.cfg.Logger.Debug("a new token", "client_id", t.Account().ClientID, "expires_at", t.ExpiresAt())
	s.logRecovery()
	if s.cfg.OnToken != nil {
		s.cfg.OnToken(t)
	}
}

// logFailure logs an attempt that failed and that no caller is told of, and how long it is
// until there may be another. A failure that is repeated is logged once: logRecovery says
// how often there was one.
func (s *Session) logFailure(err error, wait time.Duration) {
	s.mu.Lock()
	kind := s.counts.failures.of(err)
	repeated := s.counts.loggedSince == kind
	s.counts.loggedSince = kind
	s.mu.Unlock()
	if !repeated {
		s.cfg.Logger.Warn("no new token", "error", err, "retry_in", max(0, wait).Round(100*time.Millisecond), "client_id", s.account().ClientID)
	}
}

// logRecovery says that failures which were logged have ended.
func (s *Session) logRecovery() {
	s.mu.Lock()
	failed, logged := s.counts.failedSince, s.counts.loggedSince != nil
	s.counts.failedSince, s.counts.loggedSince = 0, nil
	s.mu.Unlock()
	if logged {
		s.cfg.Logger.Info("there is a new token again", "failures", failed, "client_id", s.account().ClientID)
	}
}
