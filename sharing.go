package shsession

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/shsession/shsession/internal/delay"
)

const (
	checkInterval = time.Minute     // how often a Sharing looks at its stores when nothing happens
	retryInterval = time.Second     // how soon it comes back to a sink that failed, or to a token that another renews
	closeTimeout  = 5 * time.Second // bounds the withdrawal of a token from one sink
)

// A Sharing keeps a session's token fresh and published in sinks, until it is closed.
type Sharing struct {
	session *Session
	sinks   []*sinkState
	member  *member            // nil if the session takes no turns because of this Sharing
	wake    chan struct{}      // holds one notice from the watches
	stop    context.CancelFunc // ends run
	done    chan struct{}      // closed when everything has been withdrawn
	err     error              // of the withdrawal; set before done is closed
}

// Share keeps the session's token fresh, and published in the sinks, until the Sharing is
// closed. Without sinks it only keeps the token fresh. It blocks until every sink holds the
// token. If a sink can't hold it, or ctx is done, Share returns an error and leaves no token
// published. ctx bounds only this call.
//
// While the Sharing runs, every login of the session, in any call, takes turns with the
// other processes at the first [Store] among the sinks. If the Store fails, the session
// logs in alone.
//
// A session that never renews is refused with [ErrNotRefreshing]. If a Store holds a valid
// token of another account, the error is a [*ConflictError]. If it holds a token of the
// same account, Share uses that token and doesn't log in.
//
// Python: SessionSharingThread(session, memory_name).start(), and with
// SessionSharing(session).
func Share(ctx context.Context, s *Session, sinks ...Sink) (*Sharing, error) {
	return ShareConfig{}.Share(ctx, s, sinks...)
}

// A ShareConfig has settings for [ShareConfig.Share]. The zero value is ready to use.
type ShareConfig struct {
	// Wait makes Share wait for a first token if the cause of its absence may pass: no token
	// is shared yet in the session's store, the shared token has expired, a store can't be
	// reached, or the token endpoint fails.
	Wait bool
}

// Share is like the function [Share], with settings.
func (c ShareConfig) Share(ctx context.Context, s *Session, sinks ...Sink) (*Sharing, error) {
	switch {
	case s == nil:
		return nil, errors.New("the session is nil")
	case !s.renews():
		return nil, ErrNotRefreshing
	}
	for told := false; ; told = true {
		sh, err := share(ctx, s, sinks)
		if err == nil || !c.Wait || !mayPass(err) || ctx.Err() != nil {
			return sh, err
		}
		if !told {
			s.cfg.Logger.Warn("waiting for a token to share", "error", err)
		}
		select {
		case <-time.After(delay.Jitter(retryInterval)):
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}

// share begins one Sharing: check for a conflict, become a member, watch, get a token,
// publish it, go on. A watch comes before the token, since it registers the account: of
// two accounts that begin at one moment, one is refused before it has logged in.
func share(ctx context.Context, s *Session, sinks []Sink) (*Sharing, error) {
	sh := &Sharing{session: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
	for _, sink := range sinks {
		if sink == nil {
			return nil, errors.New("a sink is nil")
		}
		sh.sinks = append(sh.sinks, &sinkState{sink: sink, logger: s.cfg.Logger})
	}
	if s.account().ClientID == "" { // a Follow's token tells
		if _, err := s.Token(ctx); err != nil {
			return nil, err
		}
	}
	for _, o := range sh.sinks {
		if err := o.check(ctx, s); err != nil {
			return nil, err
		}
	}
	sh.enter()
	if err := sh.begin(ctx); err != nil {
		return nil, errors.Join(err, sh.end())
	}
	running, stop := context.WithCancel(context.Background())
	sh.stop = stop
	go sh.run(running)
	return sh, nil
}

// enter makes a session that logs in a member of the first store among the sinks.
func (sh *Sharing) enter() {
	if sh.session.cfg.ClientID == "" {
		return
	}
	for _, o := range sh.sinks {
		if store, ok := o.sink.(Store); ok {
			sh.member = &member{session: sh.session, store: store, publishTo: o, sharing: true}
			sh.session.enter(sh.member)
			return
		}
	}
}

// begin watches the sinks and publishes the first token in them.
func (sh *Sharing) begin(ctx context.Context) error {
	for _, o := range sh.sinks {
		if err := o.open(ctx, sh.session.account()); err != nil {
			return err
		}
	}
	t, err := sh.session.Token(ctx)
	if err != nil {
		return err
	}
	for _, o := range sh.sinks {
		if o.holds(t) {
			continue
		} else if err := o.Publish(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the sharing: it stops the watches, withdraws the token from every sink and
// returns when that is done. It takes some seconds if a sink doesn't answer. A second
// Close returns the same error. Python: join(), and the end of with SessionSharing(session).
func (sh *Sharing) Close() error { return sh.Shutdown(context.Background()) }

// Shutdown is Close with a bound on the wait: when ctx is done it returns ctx's error, and
// Close goes on in the background. Python: join(timeout).
func (sh *Sharing) Shutdown(ctx context.Context) error {
	sh.stop()
	select {
	case <-sh.done:
	case <-ctx.Done():
		select {
		case <-sh.done: // at the same time
		default:
			return fmt.Errorf("waiting for the sharing to end: %w", context.Cause(ctx))
		}
	}
	return sh.err
}

// end leaves the store, stops the watches and withdraws the token from every sink.
func (sh *Sharing) end() error {
	sh.session.leave(sh.member, sh.sinks)
	var errs []error
	for _, o := range sh.sinks {
		errs = append(errs, o.close())
	}
	return errors.Join(errs...)
}

// run is the one loop of a Sharing. It wakes when the token is due for renewal, when the
// session has a new one, when a watch reports, and once a minute.
func (sh *Sharing) run(ctx context.Context) {
	defer close(sh.done)
	defer func() { sh.err = sh.end() }()
	var watching sync.WaitGroup
	defer watching.Wait()
	for _, o := range sh.sinks {
		if o.watch != nil {
			watching.Go(func() { sh.forward(ctx, o) })
		}
	}
	for seen, sound := sh.session.cur.Load().token, true; ; {
		changed := sh.session.tokenChanged()
		if t := sh.session.cur.Load().token; t.Equal(seen) {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			case <-sh.wake:
			case <-time.After(sh.nextWake(sound)):
			}
		}
		seen, sound = sh.reconcile(ctx)
		if ctx.Err() != nil {
			return
		}
	}
}

// forward passes a sink's notices on to the loop until ctx is done: ten at once, and one a
// second on average, or two sharers that each put their own token back would never rest.
func (sh *Sharing) forward(ctx context.Context, o *sinkState) {
	limit := rate.NewLimiter(1, 10)
	for {
		select {
		case <-ctx.Done():
			return
		case <-o.watch.Changed():
		}
		if limit.Wait(ctx) != nil {
			return // ctx is done
		}
		if _, isStore := o.sink.(Store); !isStore { // but not in this sink any more
			o.mu.Lock()
			o.published = Token{}
			o.mu.Unlock()
		}
		select {
		case sh.wake <- struct{}{}:
		default:
		}
	}
}

// nextWake returns how long the loop can sleep.
func (sh *Sharing) nextWake(sound bool) time.Duration {
	status := sh.session.Status()
	wait := max(time.Until(status.RenewAt), time.Until(status.NextTry))
	switch {
	case wait <= 0: // due, and another process is renewing it
		return delay.Jitter(min(retryInterval, max(time.Until(status.ExpiresAt)/8, 10*time.Millisecond)))
	case !sound:
		return max(min(wait, delay.Jitter(retryInterval)), 10*time.Millisecond)
	}
	return min(max(wait, 10*time.Millisecond), checkInterval)
}

// reconcile renews the token if that is due, and publishes it in every sink that doesn't
// hold it. It returns the session's token, and whether every sink holds that token.
func (sh *Sharing) reconcile(ctx context.Context) (seen Token, sound bool) {
	_, err := sh.session.Token(ctx)
	there := map[*sinkState]Token{}
	for _, o := range sh.sinks {
		if store, ok := o.sink.(Store); ok {
			there[o] = o.look(ctx, store, sh.session) // which may bring a better token
		}
	}
	seen = sh.session.cur.Load().token
	t, expired := sh.session.makeDo(want{})
	if expired != nil {
		if ctx.Err() == nil && err != nil {
			sh.session.logFailure(err, time.Until(sh.session.Status().NextTry))
		}
		return seen, true // the session says when it tries again
	}
	sound = true
	for _, o := range sh.sinks {
		// A token that another sharer put into a store is published again, once, so that
		// whoever closes last withdraws it.
		if found, isStore := there[o]; o.holds(t) && (!isStore || found.Equal(t)) {
			continue
		}
		publishing, cancel := context.WithTimeout(ctx, storeTimeout)
		if o.Publish(publishing, t) != nil {
			sound = false
		}
		cancel()
	}
	return seen, sound
}

// A sinkState is one sink of a Sharing, and what the Sharing knows of it.
type sinkState struct {
	sink     Sink
	watch    Watch // nil if the sink can't watch; set by open
	opened   bool  // whether there may be something to withdraw
	replaced bool  // whether the last look found a token of another account; only the loop uses it
	logger   *slog.Logger

	mu        sync.Mutex // guards the fields below
	published Token
	err       error // why the sink may not hold the token
}

// check looks at what a store holds before a Sharing publishes there. It adopts a token of
// the same account. A token of another account is a ConflictError.
func (o *sinkState) check(ctx context.Context, s *Session) error {
	store, ok := o.sink.(Store)
	if !ok {
		return nil
	}
	t, err := store.Load(ctx)
	if err != nil && !errors.Is(err, ErrNotShared) {
		return fmt.Errorf("%s: %w", sinkName(o.sink), err)
	}
	if live, dead, err := sharersOf(ctx, o.sink); err == nil && orphaned(live, dead) {
		s.cfg.Logger.Warn("taking over from a sharer that died", "store", sinkName(o.sink),
			"pid", dead[0].PID, "client_id", dead[0].ClientID)
	}
	if t, err = checkAccount(ctx, store, t, s.account()); err == nil && !t.IsZero() {
		s.adopt(t)
	}
	return err
}

// open begins to watch the sink. A sink that another Sharing of this process has refuses
// that, and keeps what the other published.
func (o *sinkState) open(ctx context.Context, account Account) (err error) {
	if watcher, ok := o.sink.(Watcher); ok {
		if o.watch, err = watcher.Watch(ctx, account); err != nil {
			return fmt.Errorf("%s: %w", sinkName(o.sink), err)
		}
		if limited, ok := o.watch.(interface{ Limited() error }); ok && limited.Limited() != nil {
			o.logger.Warn("a removed token is put back late", "error", limited.Limited())
		}
	}
	o.opened = true
	return nil
}

// close stops the watch and withdraws the token.
func (o *sinkState) close() error {
	if !o.opened {
		return nil
	} else if o.watch != nil {
		o.watch.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := o.sink.Withdraw(ctx); err != nil {
		return fmt.Errorf("%s: %w", sinkName(o.sink), err)
	}
	return nil
}

// Publish publishes t and keeps the error. It logs the first of several failures in a row
// and their end.
func (o *sinkState) Publish(ctx context.Context, t Token) error {
	err := o.sink.Publish(ctx, t)
	o.mu.Lock()
	failedBefore := o.err != nil
	if err == nil {
		o.published = t
	} else {
		err = fmt.Errorf("%s: %w", sinkName(o.sink), err)
	}
	o.err = err
	o.mu.Unlock()
	switch {
	case err != nil && ctx.Err() == nil && !failedBefore:
		o.logger.Warn("the token couldn't be shared; trying on", "error", err)
	case err == nil && failedBefore:
		o.logger.Info("the token is shared again", "sink", sinkName(o.sink))
	}
	return err
}

// holds reports whether t was published last, and no other token has replaced it.
func (o *sinkState) holds(t Token) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err == nil && t.Equal(o.published)
}

// look returns the token in a store. The session adopts that token if it is better: another
// sharer of the same account may have renewed the token.
func (o *sinkState) look(ctx context.Context, store Store, s *Session) Token {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	t, err := store.Load(ctx)
	switch {
	case err != nil:
		return Token{} // the Publish that follows tells whether the store works
	case t.Account().Matches(s.account()):
		o.replaced = false
		s.adopt(t)
	case !o.replaced: // to be said once
		o.replaced = true
		o.logger.Warn("another account's token took the place of the shared one, which is put back",
			"store", sinkName(store), "client_id", t.Account().ClientID)
	}
	return t
}
