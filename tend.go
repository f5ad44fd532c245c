package shsession

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// checkInterval is how often a Sharing looks at its stores when nothing happens.
	checkInterval = time.Minute

	// retryInterval is how soon it comes back to a sink that failed, or to a token that
	// somebody else is renewing.
	retryInterval = time.Second
)

// run is the one loop of a Sharing. It wakes when the token is due for renewal, when the
// session has a new one, when a watch reports, and once a minute.
func (sh *Sharing) run(ctx context.Context) {
	defer close(sh.done)
	defer sh.end()
	defer sh.session.unlisten(sh.wake)
	var watching sync.WaitGroup
	defer watching.Wait()
	for _, o := range sh.outlets {
		if o.watch != nil {
			watching.Go(func() { sh.forward(ctx, o) })
		}
	}
	for sound := true; ; {
		timer := time.NewTimer(sh.nap(sound))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-sh.wake:
			timer.Stop()
		case <-timer.C:
		}
		sound = sh.tend(ctx)
	}
}

// end withdraws the token from every sink.
func (sh *Sharing) end() {
	for _, o := range sh.outlets {
		if joined := sh.session.joined; joined != nil && sinkName(o.sink) == sinkName(joined) {
			sh.session.withhold()
		}
	}
	sh.err = closeAll(sh.outlets)
}

// A pacer lets ten of a watch's notices pass at once, and on average one a second: two
// sharers that can't agree which of two tokens to keep would wake each other for ever.
type pacer struct {
	passed [10]time.Time
	next   int
}

// wait blocks until a notice may pass or ctx is done.
func (p *pacer) wait(ctx context.Context) {
	if early := time.Duration(len(p.passed))*time.Second - time.Since(p.passed[p.next]); early > 0 {
		select {
		case <-time.After(early):
		case <-ctx.Done():
		}
	}
	p.passed[p.next] = time.Now()
	p.next = (p.next + 1) % len(p.passed)
}

// forward passes a sink's notices on to the loop until ctx is done.
func (sh *Sharing) forward(ctx context.Context, o *outlet) {
	var pace pacer
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.watch.Changed():
			pace.wait(ctx)
			if _, isStore := o.sink.(Store); !isStore { // a store can be asked what it holds
				o.forget()
			}
		}
		select {
		case sh.wake <- struct{}{}:
		default:
		}
	}
}

// nap returns how long there is nothing to do.
func (sh *Sharing) nap(sound bool) time.Duration {
	status := sh.session.Status()
	due := status.RenewAt
	if status.NextTry.After(due) {
		due = status.NextTry
	}
	wait := time.Until(due)
	if !sound || wait <= 0 { // due, and somebody else is renewing it
		return spread(min(retryInterval, max(time.Until(status.ExpiresAt)/8, 10*time.Millisecond)))
	}
	return min(max(wait, 10*time.Millisecond), checkInterval)
}

// tend renews the token if that is due and publishes it wherever it isn't. It reports
// whether every sink holds the token.
func (sh *Sharing) tend(ctx context.Context) (sound bool) {
	before := map[*outlet]Token{}
	for _, o := range sh.outlets {
		if store, ok := o.sink.(Store); ok {
			before[o] = sh.look(ctx, store)
		}
	}
	t, ours := sh.renew(ctx)
	if !ours {
		return false
	}
	if t.IsZero() {
		return true // the session says when it tries again
	}
	sound = true
	for _, o := range sh.outlets {
		// A token that another sharer put into a store is published again, once, so that
		// whoever closes last withdraws it.
		there, isStore := before[o]
		if o.holds(t) && (!isStore || again(t, there)) {
			continue
		}
		if !o.republish(ctx, sh.session, t) {
			sound = false
		}
	}
	return sound
}

// look returns what a store holds, after offering it to the session: another sharer of
// the same client may have renewed the token.
func (sh *Sharing) look(ctx context.Context, store Store) Token {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	t, err := store.Load(ctx)
	if err != nil { // whether it can be published there will be seen
		return Token{}
	}
	if sameClient(clientOf(t), sh.session.client()) {
		sh.session.offer(t)
	} else {
		sh.session.logger.Warn("somebody put another client's token in the place of the shared one, which is put back",
			"store", sinkName(store), "client_id", clientOf(t))
	}
	return t
}

// renew returns the session's token, renewed if that is due; the zero Token if there is
// no valid one. Sharers of one client take turns at logging in, with the first store's
// lock; ours is false when it's another's turn.
func (sh *Sharing) renew(ctx context.Context) (t Token, ours bool) {
	o, store := sh.turnstile()
	if store == nil || sh.session.Status().State == Fresh {
		sh.stuck = stall{}
		return sh.token(ctx), true
	}
	held, unlock, err := store.TryLock(ctx)
	if errors.Is(err, ErrLocked) && sh.awaits(err) {
		return Token{}, false
	}
	sh.stuck = stall{}
	if err != nil { // better a login too many than none
		return sh.token(ctx), true
	}
	defer unlock()
	sh.look(held, store)
	if t = sh.token(ctx); !t.IsZero() && !o.holds(t) {
		o.republish(held, sh.session, t)
	}
	return t, true
}

// firstTurn waits for the turn to log in, or for the token that another sharer has put
// there, which it offers to the session. Call unlock when the token is published.
func (sh *Sharing) firstTurn(ctx context.Context) (unlock context.CancelFunc, err error) {
	_, store := sh.turnstile()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if store == nil || sh.session.Status().State == Fresh {
			return func() {}, nil
		}
		held, unlock, err := store.TryLock(ctx)
		switch {
		case err == nil:
			sh.look(held, store)
			return unlock, nil
		case !errors.Is(err, ErrLocked) || !sh.awaits(err):
			return func() {}, nil // better a login too many than none
		}
		select {
		case <-time.After(spread(pause)):
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for whoever is logging in: %w", ctx.Err())
		}
		sh.look(ctx, store)
	}
}

// awaits reports whether to wait for whoever has the lock: while there is a valid token, and
// then for as long as one who isn't stopped may need. That is one attempt, if they had
// the lock before the token ended, and a whole login, if they took it since.
func (sh *Sharing) awaits(locked error) bool {
	sh.stuck.note(locked)
	e, now := sh.session.cur.Load(), time.Now().UnixNano()
	patience := sh.session.turn
	if sh.stuck.since.UnixNano() < e.expiredAt {
		patience = DefaultTimeout
	}
	return e.valid(now) || sh.stuck.lasts() < patience+storeTimeout
}

// turnstile returns the store whose lock sharers take turns with, or nil if the session
// doesn't log in, or takes turns by itself.
func (sh *Sharing) turnstile() (*outlet, Store) {
	if !sh.session.alone {
		return nil, nil
	}
	for _, o := range sh.outlets {
		if store, ok := o.sink.(Store); ok {
			return o, store
		}
	}
	return nil, nil
}

// token returns the session's token, or none after a failure.
func (sh *Sharing) token(ctx context.Context) Token {
	t, err := sh.session.Token(ctx)
	if err != nil {
		if ctx.Err() == nil {
			sh.session.logFailure(err, time.Until(sh.session.Status().NextTry))
		}
		return Token{}
	}
	return t
}
