package shsession

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// An outlet is one sink of a Sharing.
type outlet struct {
	sink  Sink
	watch Watch // nil if the sink can't watch; set by open

	mu        sync.Mutex // guards the fields below
	published Token
	err       error
}

// open begins to watch the sink and publishes the first token there. If it fails, nothing
// is left of that. The watch comes first: a sink that another Sharing has, which refuses
// a second watch, keeps what that published.
func (o *outlet) open(ctx context.Context, t Token, clientID string) error {
	if watcher, ok := o.sink.(Watcher); ok {
		watch, err := watcher.Watch(ctx, clientID)
		if err != nil {
			return fmt.Errorf("%s: %w", sinkName(o.sink), err)
		}
		o.watch = watch
	}
	if err := o.publish(ctx, t); err != nil {
		return errors.Join(err, o.close())
	}
	return nil
}

// close stops the watch and withdraws the token.
func (o *outlet) close() error {
	if o.watch != nil {
		o.watch.Stop()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := o.sink.Withdraw(ctx); err != nil {
		return fmt.Errorf("%s: %w", sinkName(o.sink), err)
	}
	return nil
}

// publish publishes t and remembers how that went.
func (o *outlet) publish(ctx context.Context, t Token) error {
	err := o.sink.Publish(ctx, t)
	if err != nil {
		err = fmt.Errorf("%s: %w", sinkName(o.sink), err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.err = err
	if err == nil {
		o.published = t
	}
	return err
}

// holds reports whether t is what was published last, with that expiry, and nothing has
// replaced it.
func (o *outlet) holds(t Token) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err == nil && again(t, o.published)
}

// forget notes that the sink holds something else than what was published.
func (o *outlet) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.published = Token{}
}

// republish publishes t, and logs the first of several failures and the end of them.
func (o *outlet) republish(ctx context.Context, s *Session, t Token) bool {
	o.mu.Lock()
	failedBefore := o.err != nil
	o.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	err := o.publish(ctx, t)
	switch {
	case err != nil && ctx.Err() == nil && !failedBefore:
		s.logger.Warn("the token couldn't be shared; trying on", "error", err)
	case err == nil && failedBefore:
		s.logger.Info("the token is shared again", "sink", sinkName(o.sink))
	}
	return err == nil
}
