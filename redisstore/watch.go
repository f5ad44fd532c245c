package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
)

// A watch looks after a token.
type watch struct {
	store        *Store
	registration string
	changed      chan struct{} // holds one notice
	restored     atomic.Uint64
	stop         func()
}

// Watch keeps the token in place that this Store published last, or the token that replaced
// it since. About every second (see [Options]) it runs one command that compares the token's
// digest, and puts the token back if it was removed before its end, as after a FLUSHALL or
// when Redis has restarted empty. The same command registers this process as a sharer.
//
// While a live process shares another client's token, the error is a
// [*shsession.ConflictError].
//
// Watch blocks until Redis has been told. Stop blocks until it has been told the end, or
// couldn't be. Each waits two seconds at most, and for another method under way.
func (s *Store) Watch(ctx context.Context, account shsession.Account) (shsession.Watch, error) {
	done, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	if s.watch != nil {
		return nil, fmt.Errorf("%s is being watched already", s)
	}
	w := &watch{store: s, registration: newRegistration(account), changed: make(chan struct{}, 1)}
	if err := w.register(ctx, account); err != nil {
		return nil, err
	}
	s.watch, s.registration = w, w.registration
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

// run looks after the token until ctx is done. It notifies when it can't do so any more,
// and when it can again.
func (w *watch) run(ctx context.Context) {
	failing := false
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
		if w.store.registration != "" { // else it was withdrawn, and nothing published since
			err = w.heartbeat(ctx)
		}
		done()
		if ctx.Err() == nil && (err != nil) != failing {
			failing = !failing
			w.notify()
		}
	}
}

// register tells the others that this process shares the account's token, unless a token
// of another account is being shared. It is called in turn.
func (w *watch) register(ctx context.Context, account shsession.Account) error {
	// The script gets all names of the account's issuer.
	issuers := []any{account.Issuer}
	for {
		rival, err := w.beat(ctx, account.ClientID, issuers)
		if err != nil || rival == "" {
			return err
		}
		sharer := parseRegistration(rival)
		if !sharer.Matches(account) || slices.Contains(issuers, any(sharer.Issuer)) {
			return &shsession.ConflictError{
				Store: w.store.String(), Account: sharer.Account, Own: account, Sharers: []shsession.Sharer{sharer},
			}
		}
		issuers = append(issuers, sharer.Issuer)
	}
}

// heartbeat says that this sharer is alive, and compares what is in Redis with what
// should be. It is called in turn.
func (w *watch) heartbeat(ctx context.Context) error {
	_, err := w.beat(ctx, "", nil)
	return err
}

// beat runs the heartbeat's script, and puts the token back or adopts it. With issuers,
// it returns a live sharer of another account, beside whom this one isn't registered.
func (w *watch) beat(ctx context.Context, clientID string, issuers []any) (rival string, err error) {
	s := w.store
	own := ""
	if s.own != nil {
		own = s.own.digest
	}
	args := append([]any{w.registration, s.aliveFor().Milliseconds(), own, memory.Milliseconds(), clientID}, issuers...)
	cmd, err := s.run(ctx, heartbeatScript, []string{s.keys.token, s.keys.sharers}, args...)
	if err != nil {
		return "", err
	}
	answer, err := cmd.StringSlice()
	if err != nil || len(answer) != 2 {
		return "", errors.Join(errors.New("what Redis says of the token can't be read"), err)
	}
	there, rival := answer[0], answer[1]
	switch {
	case rival != "":
		return rival, nil
	case there == "" && s.kept != nil:
		return "", w.putBack(ctx)
	case there != "" && (s.kept == nil || there != s.kept.digest):
		return "", w.adopt(ctx)
	}
	return "", nil
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
	err := s.withRetry(ctx, func(ctx context.Context, client redis.UniversalClient) error {
		return client.SetArgs(ctx, s.keys.token, s.kept.data, redis.SetArgs{Mode: "NX", TTL: left}).Err()
	})
	switch {
	case errors.Is(err, redis.Nil):
		return nil // another process was faster, and the next look sees its token
	case err != nil:
		return err
	}
	w.restored.Add(1)
	return nil
}

// adopt makes what has replaced the token what is kept in place.
func (w *watch) adopt(ctx context.Context) error {
	s := w.store
	v, err := s.fetch(ctx)
	if err != nil {
		return err // or gone again: the next look sees it
	}
	if t, err := s.decode(ctx, v); err == nil {
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
	ctx, cancel := context.WithTimeout(context.Background(), 2*w.store.patience)
	defer cancel()
	done, err := w.store.begin(ctx)
	if err != nil {
		return
	}
	defer done()
	w.store.watch = nil
	w.store.unregister(ctx, w.registration)
}
