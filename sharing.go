package shsession

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// closeTimeout bounds the withdrawal of a token from one sink.
const closeTimeout = 5 * time.Second

// A Sharing keeps a session's token fresh and published in sinks, until it is closed.
type Sharing struct {
	session *Session
	outlets []*outlet
	wake    chan struct{}      // holds one notice that there is something to look at
	stop    context.CancelFunc // ends run
	done    chan struct{}      // closed when everything has been withdrawn
	err     error              // of the withdrawal; set before done is closed

	stuck stall // somebody else's turn to renew; run's alone
}

// Share publishes the session's token in the sinks and keeps it fresh there until the
// Sharing is closed. It returns when every sink holds the token, or with an error when
// one can't: then nothing is left published. It blocks until then or until ctx is done,
// which bounds this call alone.
//
// A session that never renews is refused with [ErrNotRefreshing], one from [Follow] is
// fine. If a [Store] holds another client's valid token, the error is a [*ConflictError];
// if it holds one of the same client, that one is used and there is no login.
//
// Python: SessionSharingThread(session, memory_name).start(), and with
// SessionSharing(session).
func Share(ctx context.Context, s *Session, sinks ...Sink) (*Sharing, error) {
	if !s.renews() {
		return nil, ErrNotRefreshing
	}
	if len(sinks) == 0 {
		return nil, errors.New("there is nothing to share the token to")
	}
	if s.client() == "" { // a Follow's token tells
		if _, err := s.Token(ctx); err != nil {
			return nil, err
		}
	}
	sh := &Sharing{session: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
	for _, sink := range sinks {
		sh.outlets = append(sh.outlets, &outlet{sink: sink})
		warnOfOrphan(ctx, s, sink)
		if err := adopt(ctx, s, sink); err != nil {
			return nil, err
		}
	}
	unlock, err := sh.firstTurn(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	t, err := s.Token(ctx)
	if err != nil {
		return nil, err
	}
	s.listen(sh.wake)
	for i, o := range sh.outlets {
		if err := o.open(ctx, t, s.client()); err != nil {
			s.unlisten(sh.wake)
			return nil, errors.Join(err, closeAll(sh.outlets[:i]))
		}
	}
	running, stop := context.WithCancel(context.Background())
	sh.stop = stop
	go sh.run(running)
	return sh, nil
}

// adopt looks at what a store holds before a Sharing publishes there: a token of the same
// client is taken over, and one of another is left alone.
func adopt(ctx context.Context, s *Session, sink Sink) error {
	store, ok := sink.(Store)
	if !ok {
		return nil
	}
	t, err := store.Load(ctx)
	if errors.Is(err, ErrNotShared) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", sinkName(sink), err)
	}
	if clientOf(t) != s.client() {
		if t, err = ours(ctx, store, t, s.client()); err != nil || t.IsZero() {
			return err
		}
	}
	s.offer(t)
	return nil
}

// warnOfOrphan tells that a store's sharers died without withdrawing.
func warnOfOrphan(ctx context.Context, s *Session, sink Sink) {
	if live, dead, err := sharersOf(ctx, sink); err == nil && orphaned(live, dead) {
		s.logger.Warn("taking over from a sharer that died", "store", sinkName(sink),
			"pid", dead[0].PID, "client_id", dead[0].ClientID)
	}
}

// Close ends the sharing: it stops the watches, withdraws the token from every sink and
// returns when that is done, which takes some seconds if a sink doesn't answer. Python:
// join(), and the end of with SessionSharing(session). A second Close returns the same
// error.
func (sh *Sharing) Close() error { return sh.Shutdown(context.Background()) }

// Shutdown is Close with a bound on the wait: when ctx is done it returns ctx's error,
// and the rest goes on by itself. Python: join(timeout).
func (sh *Sharing) Shutdown(ctx context.Context) error {
	sh.stop()
	select {
	case <-sh.done:
		return sh.err
	default:
	}
	select {
	case <-sh.done:
		return sh.err
	case <-ctx.Done():
		return fmt.Errorf("waiting for the sharing to end: %w", context.Cause(ctx))
	}
}

// closeAll closes outlets, one after the other.
func closeAll(outlets []*outlet) error {
	var errs []error
	for _, o := range outlets {
		errs = append(errs, o.close())
	}
	return errors.Join(errs...)
}

// A SharingStatus describes a Sharing at one moment.
type SharingStatus struct {
	Session Status
	Sinks   []SinkStatus
}

// A SinkStatus describes one sink of a Sharing.
type SinkStatus struct {
	Name      string
	ExpiresAt time.Time // of the token that was published last
	Restored  uint64    // how many times the token was put back
	Err       error     // why the last attempt to publish failed, nil after a success
}

// Status returns the sharing's state. It doesn't block on I/O.
func (sh *Sharing) Status() SharingStatus {
	status := SharingStatus{Session: sh.session.Status()}
	for _, o := range sh.outlets {
		o.mu.Lock()
		sink := SinkStatus{Name: sinkName(o.sink), ExpiresAt: o.published.ExpiresAt(), Err: o.err}
		o.mu.Unlock()
		if o.watch != nil {
			sink.Restored = o.watch.Restored()
		}
		status.Sinks = append(status.Sinks, sink)
	}
	return status
}
