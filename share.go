package shsession

import (
	"context"
	"fmt"
)

// A Sink is a place where a token is published for others to use, such as a file.
//
// Its methods may be called by several goroutines at once. A sink that is also a
// [fmt.Stringer] is called by that name in logs and errors.
type Sink interface {
	// Publish makes t what others find there, in place of what was there. They find the
	// old token or the new one, never a part of one, and a failed Publish leaves the old.
	// It blocks until that is done or ctx is. A sink that can't keep expired tokens
	// refuses one with an error that wraps ErrExpired.
	Publish(ctx context.Context, t Token) error

	// Withdraw removes the token that this Sink published last, unless somebody else has
	// put another in its place or still shares it. To withdraw nothing is no error.
	Withdraw(ctx context.Context) error
}

// A Store is a Sink that others can read, and take turns at.
//
// Package storetest tests this contract.
type Store interface {
	Sink

	// Load returns the token that is there, expired or not, with an error that wraps
	// [ErrNotShared] if there is none. Its expiry is right by this machine's clock.
	Load(ctx context.Context) (Token, error)

	// TryLock takes the store's lock, or returns a [*LockedError] at once if somebody else
	// has it, in this process or another. The lock is for whoever logs in and publishes; Load
	// and Publish don't need it.
	//
	// The lock is held until unlock is called, ctx is done, or it is lost: then held, a
	// child of ctx, is done too, once the loss is noticed. A Publish with held as its
	// context notices it, publishes nothing and returns an error if the lock was lost and
	// taken by another. A lock whose holder died becomes free by itself.
	TryLock(ctx context.Context) (held context.Context, unlock context.CancelFunc, err error)
}

// A Watcher is a Sink that can look after what it has published.
type Watcher interface {
	Sink

	// Watch keeps the token that was last published by this Sink in place until the Watch
	// is stopped: it puts it back when something removes it. clientID is whose token is
	// shared, for others to be told. ctx bounds the start alone.
	//
	// A second Watch on the same Sink is an error. Where Watches know of one another, so is
	// one while another client's token is being watched there: a [*ConflictError].
	Watch(ctx context.Context, clientID string) (Watch, error)
}

// A Watch is a Watcher at work.
type Watch interface {
	// Changed receives when something else has replaced what was published, or it
	// couldn't be put back. The channel holds one such notice, and isn't closed.
	Changed() <-chan struct{}

	// Restored returns how many times the token was put back.
	Restored() uint64

	// Stop ends the watch and returns when it has ended. It doesn't withdraw the token. A
	// second Stop does nothing.
	Stop()
}

// A Sharer is a process that shares a token in a Store and keeps it there.
type Sharer struct {
	PID      int
	Host     string // "" where a store is this machine's alone
	ClientID string
}

// String names the process.
func (s Sharer) String() string {
	if s.Host == "" {
		return fmt.Sprintf("process %d", s.PID)
	}
	return fmt.Sprintf("process %d on %s", s.PID, s.Host)
}

// A sharerLister is a Store that knows who shares in it, and who did and died without
// withdrawing.
type sharerLister interface {
	Sharers(ctx context.Context) (live, dead []Sharer, err error)
}

// sharersOf asks a sink who shares in it: nobody, if it can't tell.
func sharersOf(ctx context.Context, sink Sink) (live, dead []Sharer, err error) {
	if lister, ok := sink.(sharerLister); ok {
		return lister.Sharers(ctx)
	}
	return nil, nil, nil
}

// orphaned reports whether all who shared have died without withdrawing.
func orphaned(live, dead []Sharer) bool { return len(live) == 0 && len(dead) > 0 }
