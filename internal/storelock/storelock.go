// Package storelock holds what the locks of one machine's stores have in common: a locked file
// that dies with its process, and turns at logging in.
package storelock

import (
	"context"
	"errors"
	"time"

	"github.com/shsession/shsession"
)

// errLost refuses a Publish.
var errLost = errors.New("the lock was lost before the token was published")

// Begin begins a turn with the lock that TryLock has just taken, as [shsession.Store] says.
// Where the note that is there keeps the caller out, it releases the lock and returns a
// LockedError. The key is that of the store in a context: see CheckHeld. Leave is called with
// the lock held, if the turn ends with a note.
func Begin(ctx context.Context, key any, lock *File, note shsession.Note, pass func(shsession.Note) bool,
	leave func(shsession.Note) error) (held context.Context, unlock func(shsession.Note), err error) {
	if note.KeepsOut(pass) {
		lock.Release()
		return nil, nil, &shsession.LockedError{Note: note}
	}
	lock.sign()
	held, cancel := context.WithCancel(context.WithValue(ctx, key, lock))
	lock.lose = cancel
	stop := context.AfterFunc(held, lock.Release)
	return held, func(note shsession.Note) {
		if stop() && !note.IsZero() && lock.holds() {
			_ = leave(note) // without the note, the next caller logs in and learns the same
		}
		cancel()
		lock.Release()
	}, nil
}

// CheckHeld returns an error if ctx came from Begin with that key and the lock was lost.
func CheckHeld(ctx context.Context, key any) error {
	lock, ok := ctx.Value(key).(*File)
	if !ok || lock.holds() {
		return nil
	}
	lock.lose()
	return errLost
}

// Await calls try, which takes a lock that is held for moments, until its error isn't a
// LockedError, and returns that. Once ctx is done, it returns ctx's error.
func Await(ctx context.Context, try func() error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait := 20 * time.Microsecond; ; wait = min(2*wait, 2*time.Millisecond) {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		if err := try(); !errors.Is(err, shsession.ErrLocked) {
			return err
		}
		timer.Reset(wait)
	}
}
