package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/shsession/shsession"
)

// releaseTimeout bounds the release of the lock, which ends by itself otherwise.
const releaseTimeout = time.Second

// errLockLost refuses a Publish, and is the cause that held is done for.
var errLockLost = errors.New("the lock was lost, and another process has had it since, or may have")

// A holding is a lock that this process took.
type holding struct {
	keys keys
	id   string
}

// holdingKey is the context key of a holding.
type holdingKey struct{}

// holderID returns the id under which ctx holds this Store's lock, or "".
func (s *Store) holderID(ctx context.Context) string {
	if h, ok := ctx.Value(holdingKey{}).(holding); ok && h.keys == s.keys {
		return h.id
	}
	return ""
}

// TryLock takes the lock, which is a lease in Redis: a goroutine renews it until unlock is
// called, held is done or the lock is lost, and if the process dies it ends by
// itself. It returns a [shsession.LockedError] if somebody else has the lock.
//
// A holder can sleep through its lease, in a suspended machine for instance, and
// wake before it notices. So Redis itself checks, when it is about to replace the token for a
// holder, that nobody else has had the lock since. When Redis lost its memory, the
// holder takes the lock again while its lease lasts, and later can't replace a token that
// outlives its own.
//
// unlock waits for Redis to release the lock, for a second at most. If ctx is
// done before Redis has answered, the lock may be taken for one lease.
func (s *Store) TryLock(ctx context.Context) (held context.Context, unlock context.CancelFunc, err error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	id := rand.Text()
	asked := time.Now()
	holder, end, err := s.take(ctx, id, "")
	switch {
	case err != nil:
		return nil, nil, err
	case holder != "":
		return nil, nil, &shsession.LockedError{Holder: holder}
	}
	held, cancel := context.WithCancelCause(context.WithValue(ctx, holdingKey{}, holding{s.keys, id}))
	released := make(chan struct{})
	go func() {
		defer close(released)
		cancel(s.hold(held, id, asked.Add(s.lease), end))
		s.release(id)
	}()
	return held, func() {
		cancel(nil)
		<-released
	}, nil
}

// hold renews the lease until ctx is done, or returns why the lock was lost.
// until is when the lease ends, at the earliest, and end the same by Redis's clock.
func (s *Store) hold(ctx context.Context, id string, until time.Time, end string) error {
	ticker := time.NewTicker(s.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		asked := time.Now()
		bounded, cancel := context.WithDeadline(ctx, until)
		holder, renewed, err := s.take(bounded, id, end)
		cancel()
		switch {
		case err == nil && holder == "":
			until, end = asked.Add(s.lease), renewed
		case err == nil:
			return errLockLost
		case !time.Now().Before(until):
			return fmt.Errorf("the lock couldn't be renewed: %w", err)
		}
	}
}

// take takes the lock or, if it was taken before, keeps it: before is what end was then. It returns who
// has it if that is somebody else, and when the lease ends by Redis's clock.
func (s *Store) take(ctx context.Context, id, before string) (holder, end string, err error) {
	cmd, err := s.run(ctx, takeScript, []string{s.keys.lock, s.keys.fence},
		id, s.lease.Milliseconds(), memory.Milliseconds(), before)
	if err != nil {
		return "", "", err
	}
	answer, err := cmd.StringSlice()
	if err != nil || len(answer) != 2 {
		return "", "", errors.Join(errors.New("what Redis says of the lock can't be read"), err)
	}
	return answer[0], answer[1], nil
}

// release releases the lock, if it's still ours. What goes wrong mends itself
// when the lease ends.
func (s *Store) release(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	_, _ = s.run(ctx, releaseScript, []string{s.keys.lock}, id)
}
