package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
)

// A watch looks after a token.
type watch struct {
	store    *Store
	member   string
	changed  chan struct{} // holds one notice
	restored atomic.Uint64
	stop     func()
}

// Watch keeps the token in place that this Store published last, or whatever replaced it
// since: about every second (see [Options]) it runs one command that compares the
// token's digest, and puts the token back if it is gone before its time, as after a
// FLUSHALL or when Redis has restarted empty. The same command tells the others that
// this process shares the token.
//
// While a live process shares another client's token, the error is a
// [*shsession.ConflictError].
//
// Watch blocks until Redis has been told. Stop blocks until it has been told the end, or
// couldn't be. Each waits two seconds at most, and for another method under way.
func (s *Store) Watch(ctx context.Context, clientID string) (shsession.Watch, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	done, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if s.watch != nil {
		return nil, fmt.Errorf("%s is being watched already", s)
	}
	w := &watch{store: s, member: newMember(clientID), changed: make(chan struct{}, 1)}
	if err := w.look(ctx, clientID); err != nil {
		return nil, err
	}
	s.watch, s.member = w, w.member
	watching, cancelWatching := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.run(watching)
	}()
	w.stop = sync.OnceFunc(func() {
		cancelWatching()
		<-ended
		w.leave()
	})
	return w, nil
}

// Changed implements shsession.Watch.
func (w *watch) Changed() <-chan struct{} { return w.changed }

// Restored implements shsession.Watch.
func (w *watch) Restored() uint64 { return w.restored.Load() }

// Stop implements shsession.Watch.
func (w *watch) Stop() { w.stop() }

// run looks after the token until ctx is done.
func (w *watch) run(ctx context.Context) {
	for {
		interval := w.store.interval
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval*3/4 + rand.N(interval/2+1)):
		}
		done, err := w.store.begin(ctx)
		if err != nil {
			return
		}
		if w.store.member != "" { // else it was withdrawn, and nothing published since
			// Nothing is lost with an error: the next look will do.
			_ = w.look(ctx, "")
		}
		done()
	}
}

// look compares what is in Redis with what should be. With a client, it returns a
// ConflictError if another client's token is being shared. It is called in turn.
func (w *watch) look(ctx context.Context, client string) error {
	s := w.store
	own := ""
	if s.own != nil {
		own = s.own.digest
	}
	cmd, err := s.run(ctx, beatScript, []string{s.keys.token, s.keys.sharers},
		w.member, s.aliveFor().Milliseconds(), own, memory.Milliseconds(), client)
	if err != nil {
		return err
	}
	answer, err := cmd.StringSlice()
	if err != nil || len(answer) != 2 {
		return errors.Join(errors.New("what Redis says of the token can't be read"), err)
	}
	there, rival := answer[0], answer[1]
	switch {
	case rival != "":
		sharer := parseMember(rival)
		return &shsession.ConflictError{Store: s.String(), ClientID: sharer.ClientID, Sharers: []shsession.Sharer{sharer}}
	case there == "" && s.kept != nil:
		return w.putBack(ctx)
	case there != "" && (s.kept == nil || there != s.kept.digest):
		return w.adopt(ctx, there)
	}
	return nil
}

// putBack puts the token back that has gone.
func (w *watch) putBack(ctx context.Context) error {
	s := w.store
	left := time.Until(s.kept.expiry)
	if left < shortestLife {
		s.kept = nil // its time had come
		return nil
	}
	if s.kept.data == nil { // we don't have it
		s.kept = nil
		w.notify()
		return nil
	}
	err := s.ask(ctx, func(ctx context.Context) error {
		return s.client.SetArgs(ctx, s.keys.token, s.kept.data, redis.SetArgs{Mode: "NX", TTL: left}).Err()
	})
	switch {
	case errors.Is(err, redis.Nil):
		return nil // somebody else was faster, and the next look sees it
	case err != nil:
		w.notify()
		return err
	}
	w.restored.Add(1)
	return nil
}

// adopt makes what has replaced the token what is kept in place. there is its digest.
func (w *watch) adopt(ctx context.Context, there string) error {
	s := w.store
	v, err := s.fetch(ctx)
	if err != nil {
		return err // or gone again: the next look sees it
	}
	if t, err := s.decode(v); err == nil {
		v.expiry = t.ExpiresAt()
	} else {
		v.data = nil // not to be put back
	}
	if s.own != nil || s.kept != nil {
		w.notify()
	}
	s.kept = v
	return nil
}

func (w *watch) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// leave ends the watch after its goroutine has.
func (w *watch) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	done, err := w.store.begin(ctx)
	if err != nil {
		return
	}
	defer done()
	w.store.watch = nil
	w.store.unregister(ctx, w.member)
}
