package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shsession/shsession"
)

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

// TryLock takes the lock, which is a lease in Redis: a goroutine renews it until unlock
// is called, held is done or the lock is lost, and if the process dies it ends by itself.
// It returns a [shsession.LockedError] if another holder has the lock.
//
// A holder can be suspended for longer than its lease, and publish before it notices. So
// Redis itself checks, before it replaces the token for a holder, that no other holder has
// had the lock since. If Redis lost its memory, the holder takes the lock again while its
// lease lasts, and later can't replace a token that outlives its own.
//
// unlock waits for Redis to release the lock, for two seconds at most. If ctx is
// done before Redis has answered, the lock may be taken for one lease.
func (s *Store) TryLock(ctx context.Context, pass func(shsession.Note) bool) (held context.Context, unlock func(shsession.Note), err error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	id := rand.Text()
	asked := time.Now()
	taken, err := s.take(ctx, id, "")
	switch {
	case err != nil:
		return nil, nil, err
	case taken.holder != "":
		return nil, nil, &shsession.LockedError{Holder: taken.holder}
	case taken.note.KeepsOut(pass):
		s.release(id, shsession.Note{})
		return nil, nil, &shsession.LockedError{Note: taken.note}
	}
	held, cancel := context.WithCancelCause(context.WithValue(ctx, holdingKey{}, holding{s.keys, id}))
	released := make(chan struct{})
	var left shsession.Note // written before held is done
	var once sync.Once
	go func() {
		defer close(released)
		cancel(s.hold(held, id, asked.Add(s.lease), taken.end))
		once.Do(func() {}) // a note that comes later is too late
		s.release(id, left)
	}()
	return held, func(note shsession.Note) {
		once.Do(func() { left = note })
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
		renewed, err := s.take(bounded, id, end)
		cancel()
		switch {
		case err == nil && renewed.holder == "":
			until, end = asked.Add(s.lease), renewed.end
		case err == nil:
			return errLockLost
		case !time.Now().Before(until):
			return fmt.Errorf("the lock couldn't be renewed: %w", err)
		}
	}
}

// A taking is what Redis answers when the lock is asked for.
type taking struct {
	holder string         // who has the lock, if that is somebody else
	end    string         // when the lease ends by Redis's clock
	note   shsession.Note // that the last holder left
}

// take takes the lock or, if it was taken before, keeps it: before is what end was then.
func (s *Store) take(ctx context.Context, id, before string) (taking, error) {
	cmd, err := s.run(ctx, takeScript, []string{s.keys.lock, s.keys.fence, s.keys.note},
		id, s.lease.Milliseconds(), memory.Milliseconds(), before)
	if err != nil {
		return taking{}, err
	}
	answer, err := cmd.Slice()
	var t taking
	if err == nil && len(answer) == 4 {
		holder, isText := answer[0].(string)
		end, isText2 := answer[1].(string)
		note, isText3 := answer[2].(string)
		life, isNumber := answer[3].(int64)
		if isText && isText2 && isText3 && isNumber {
			t = taking{holder, end, parseNote(note, time.Duration(life)*time.Millisecond)}
			return t, nil
		}
	}
	return t, errors.Join(errors.New("what Redis says of the lock can't be read"), err)
}

// release releases the lock, if it's still ours, and leaves a note. What goes wrong mends
// itself when the lease ends.
func (s *Store) release(id string, note shsession.Note) {
	text, life := formatNote(note)
	_, _ = s.run(context.Background(), releaseScript, []string{s.keys.lock, s.keys.note}, id, text, life.Milliseconds())
}

// noteMemory is how long a note is kept after it has ended, so that the next failure is
// known to be one more in a row.
const noteMemory = time.Hour

// A noteValue is a note as it is in Redis, where the life of its key tells when it ends.
type noteValue struct {
	Status   int    `json:"status"`
	Code     string `json:"code,omitempty"`
	Secret   string `json:"secret,omitempty"`
	Failures int    `json:"failures"`
}

// formatNote returns "" for no note, and for one that is of no use to other machines.
func formatNote(n shsession.Note) (text string, life time.Duration) {
	if n.IsZero() || n.Local() {
		return "", 0
	}
	data, err := json.Marshal(noteValue{n.Status, n.Code, n.Secret, n.Failures})
	if err != nil {
		return "", 0
	}
	return string(data), n.Remaining() + noteMemory
}

// parseNote returns the zero Note for what is none.
func parseNote(text string, life time.Duration) shsession.Note {
	var v noteValue
	if text == "" || json.Unmarshal([]byte(text), &v) != nil {
		return shsession.Note{}
	}
	return shsession.Note{
		Until: time.Now().Add(life - noteMemory), Status: v.Status, Code: v.Code, Secret: v.Secret, Failures: v.Failures,
	}
}
