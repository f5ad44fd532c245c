package shsession

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// A flight is one renewal, on a context of its own, that any number of callers wait for.
type flight struct {
	urgent bool          // there was no valid token when it started
	least  time.Duration // the remaining life that was asked for
	done   chan struct{} // closed when err is set
	err    error

	relieved chan struct{} // closed when a token has come from elsewhere
	relief   sync.Once     // closes it
	withheld atomic.Bool   // see Session.withhold
}

// errNothingNew is a refill's answer when there is no better token yet, though nothing
// failed: somebody else is at it.
var errNothingNew = errors.New("nobody has renewed the shared token yet")

// A need says how badly a caller wants a new token.
type need int

const (
	nothing  need = iota // the token will do
	soon                 // the token is stale
	better               // the token is valid, but was refused or has too little life left
	urgently             // there is no valid token
)

// need looks at the session's token for a caller who wants it to live for minTTL.
func (s *Session) need(minTTL time.Duration) (*entry, need) {
	e, now := s.cur.Load(), time.Now().UnixNano()
	switch {
	case !e.valid(now):
		return e, urgently
	case e.rejected, e.remaining(now) < minTTL:
		return e, better
	case now >= e.staleAt && s.renews():
		return e, soon
	}
	return e, nothing
}

// renewed returns a token that is valid for at least minTTL, after a renewal if there has
// to be one. See Token for who waits.
func (s *Session) renewed(ctx context.Context, minTTL time.Duration) (Token, error) {
	var useless *flight // whose relief this caller couldn't use
	for {
		e, need := s.need(minTTL)
		switch {
		case need == nothing:
			return e.token, nil
		case !s.renews() && (s.refill == nil || !e.token.IsZero()):
			return s.final(e, minTTL)
		case e.outlived(minTTL):
			return Token{}, tooShort(e, minTTL)
		case ctx.Err() != nil:
			return s.interrupted(ctx, minTTL)
		case need == urgently && minTTL > 0: // any token first, and then one that lives so long
			if t, err := s.renewed(ctx, 0); err != nil {
				return t, err
			}
			continue
		}
		f, mine, err := s.board(need, minTTL)
		switch {
		case err != nil:
			return Token{}, err
		case f == nil, need == soon && !mine:
			t, err := s.makeDo(minTTL)
			if errors.Is(err, ErrExpired) {
				continue // just now
			}
			if err == nil {
				return t, nil
			}
			if last := s.lastFailure(); last != nil {
				err = last // which is why there is none that lives longer
			}
			return Token{}, err
		}
		switch f.wait(ctx, f != useless) {
		case relieved:
			useless = f
			continue
		case left:
			return s.interrupted(ctx, minTTL)
		}
		t, err := s.makeDo(minTTL)
		switch {
		case err == nil:
			return t, nil
		case !f.urgent && errors.Is(err, ErrExpired), f.least < minTTL:
			// That flight was for somebody who wanted less.
		case f.err != nil:
			return Token{}, f.err
		case need != urgently:
			return Token{}, err
		}
	}
}

// An ending is how a caller's wait for a flight ends.
type ending int

const (
	landed   ending = iota // the flight has
	relieved               // a token has come from elsewhere
	left                   // ctx has ended
)

// wait waits for a flight, and unless it's of no use, for a relief.
func (f *flight) wait(ctx context.Context, relief bool) ending {
	token := f.relieved
	if !relief {
		token = nil
	}
	select {
	case <-f.done:
		return landed
	case <-token:
		return relieved
	case <-ctx.Done():
		return left
	}
}

// makeDo returns the session's token if it's valid for minTTL, due for renewal or not.
func (s *Session) makeDo(minTTL time.Duration) (Token, error) {
	e, now := s.cur.Load(), time.Now().UnixNano()
	switch {
	case !e.valid(now):
		return Token{}, ErrExpired
	case e.remaining(now) < minTTL:
		return Token{}, tooShort(e, minTTL)
	}
	return e.token, nil
}

// outlived reports whether no token of the service would have minTTL left for long.
func (e *entry) outlived(minTTL time.Duration) bool {
	life := e.token.Life()
	return life > 0 && minTTL > life-life/10
}

func tooShort(e *entry, minTTL time.Duration) error {
	return fmt.Errorf("%w: %v was asked for, and this one has %v left of %v",
		ErrLifeTooShort, minTTL, e.token.Remaining().Round(time.Second), e.token.Life())
}

// final returns the only token that a session will ever have.
func (s *Session) final(e *entry, minTTL time.Duration) (Token, error) {
	t, err := s.makeDo(minTTL)
	switch {
	case e.token.IsZero():
		return Token{}, ErrNoCredentials
	case errors.Is(err, ErrExpired):
		s.warnOnce.Do(func() {
			s.logger.Warn("the token has expired and this session doesn't renew it", "expires_at", e.token.ExpiresAt())
		})
		return e.token, err
	}
	return t, err
}

// interrupted is the answer to a caller whose ctx has ended: the token there is, if it will
// do.
func (s *Session) interrupted(ctx context.Context, minTTL time.Duration) (Token, error) {
	if t, err := s.makeDo(minTTL); err == nil {
		return t, nil
	}
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		err = fmt.Errorf("%w: %w", err, cause)
	}
	err = fmt.Errorf("waiting for a token: %w", err)
	if last := s.lastFailure(); last != nil {
		err = fmt.Errorf("%w; the last attempt failed: %w", err, last)
	}
	return Token{}, err
}

func (s *Session) lastFailure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gate.err
}

// board returns the flight under way, or starts one: mine is true then. It returns nil if
// none may start yet and there is a valid token to go on with, or if one has just landed,
// and an error if none may start yet and waiting is no use.
func (s *Session) board(n need, least time.Duration) (f *flight, mine bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		return s.flight, false, nil
	}
	if _, now := s.need(least); now < n {
		return nil, false, nil
	}
	wait := time.Until(s.gate.opens)
	if wait > 0 && n != urgently {
		return nil, false, nil
	}
	if wait > 0 && s.gate.hopeless() {
		return nil, false, s.gate.err
	}
	s.flight = &flight{urgent: n == urgently, least: least, done: make(chan struct{}), relieved: make(chan struct{})}
	go s.fly(s.flight, wait)
	return s.flight, true, nil
}

// fly makes the attempts of one flight, the first after a wait: one while there is a valid
// token to go on with, else up to the session's limit.
func (s *Session) fly(f *flight, wait time.Duration) {
	tries := 1
	if f.urgent {
		tries = s.attempts
	}
	waits := s.newBackOff()
	for n := 1; ; n++ {
		if t, ok := s.await(f, wait); ok {
			s.land(f, t, nil)
			return
		}
		t, err := s.refill(context.Background(), s.askFor(f))
		if err != nil && !errors.Is(err, errNothingNew) {
			s.countFailure(err)
		}
		var endpoint *EndpointError
		if n >= tries || !t.IsZero() || !errors.As(err, &endpoint) || endpoint.Permanent {
			s.land(f, t, err)
			return
		}
		wait = max(waits.NextBackOff(), endpoint.RetryAfter)
		s.logFailure(err, wait)
	}
}

// await waits before an attempt. It returns early with a token that has come meanwhile: one
// that was offered or, for a member of a Join, that another has published.
func (s *Session) await(f *flight, wait time.Duration) (Token, bool) {
	if wait <= 0 {
		return Token{}, false
	}
	over := time.NewTimer(wait)
	defer over.Stop()
	look := time.NewTicker(spread(lookAgain(0)))
	defer look.Stop()
	for {
		select {
		case <-over.C:
			return Token{}, false
		case <-f.relieved:
			return s.cur.Load().token, true
		case <-look.C:
			if s.peek == nil {
				continue
			}
			if t, ok := s.peek(s.askFor(f)); ok {
				return t, true
			}
		}
	}
}

// askFor says what the flight is for.
func (s *Session) askFor(f *flight) ask {
	s.mu.Lock()
	refused := s.refused
	s.mu.Unlock()
	valid := func(t Token) bool {
		now := time.Now().UnixNano()
		e := s.entryFor(t)
		return e.valid(now) && e.remaining(now) >= f.least && !again(t, refused)
	}
	usable := func(t Token) bool {
		e := s.cur.Load()
		if !again(t, e.token) {
			e = s.entryFor(t)
		} // else what was drawn for it holds
		return valid(t) && e.state(time.Now().UnixNano()) == Fresh
	}
	return ask{usable: usable, valid: valid, urgent: f.urgent, withheld: f.withheld.Load}
}

// land ends a flight: it installs what the flight brought, if anything, decides when the
// next may start, and lets the callers go.
func (s *Session) land(f *flight, t Token, err error) {
	s.mu.Lock()
	old := s.cur.Load().token
	isNew := !t.IsZero() && !again(t, old)
	if isNew {
		s.install(t)
	} else if err == nil && s.cur.Load().state(time.Now().UnixNano()) != Fresh {
		err = errNothingNew
	}
	if err == nil {
		s.gate.open()
	} else {
		s.gate.close(err, s.cur.Load().remaining(time.Now().UnixNano()), s.newBackOff)
	}
	wait := time.Until(s.gate.opens)
	s.flight = nil
	s.mu.Unlock()
	told := f.urgent && t.IsZero() // then it is what the callers get
	if err != nil && !told && !errors.Is(err, errNothingNew) {
		s.logFailure(err, wait)
	}
	f.err = err
	close(f.done)
	if isNew {
		s.announce(t)
	}
}

// announce tells the program of a new token. s.mu is not held.
func (s *Session) announce(t Token) {
	if s.onToken != nil {
		s.onToken(t)
	}
}

// install makes t, a new one, the session's token. s.mu is held.
func (s *Session) install(t Token) {
	s.cur.Store(s.entryFor(t))
	s.counts.renewals++
	for listener := range s.listeners {
		select {
		case listener <- struct{}{}:
		default: // it has a notice to read already
		}
	}
}
