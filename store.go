package shsession

import (
	"context"
	"fmt"
)

// A Sink is a place where a token is published for others to use, such as a file.
//
// Several goroutines may call its methods at once. A sink that is also a [fmt.Stringer]
// appears under that name in logs and errors.
type Sink interface {
	// Publish replaces the token in the sink by t. Readers find the old token or the new
	// one, never a part of one. A failed Publish leaves the old token. Publish blocks until
	// the token is replaced or ctx is done. A sink that can't keep expired tokens refuses
	// one with an error that wraps ErrExpired.
	Publish(ctx context.Context, t Token) error

	// Withdraw removes the token that this Sink published last, unless another process has
	// replaced that token or still shares it. If there is nothing to withdraw, the error is
	// nil.
	Withdraw(ctx context.Context) error
}

// A Store is a Sink that other processes can read, with a lock for taking turns at logging in.
// A method whose ctx is done from the start does nothing, and returns an error that wraps
// [context.Cause].
//
// Package storetest tests this contract.
type Store interface {
	Sink

	// Load returns the token in the store, expired or not. The error wraps [ErrNotShared]
	// if there is none. The token's expiry is right by this machine's clock.
	Load(ctx context.Context) (Token, error)

	// TryLock takes the store's lock, or returns a [*LockedError] at once. A process holds
	// the lock while it logs in and publishes. Load and Publish don't need the lock.
	//
	// Two things keep a caller out: another holder, in this process or another, and a
	// [Note] that the last holder left about a failed login. TryLock calls pass with the
	// note, if there is one; pass returns true to let the caller in, and must not block. A
	// nil pass lets the caller in when the note has ended.
	//
	// The lock is held until unlock is called, ctx is done, or the lock is lost. Then held,
	// a child of ctx, is done too; after a loss, when the loss is noticed. A Publish with
	// held as its context publishes nothing and returns an error if the lock was lost and
	// another holder has taken it. A lock whose holder died becomes free by itself, without a
	// note. The first call of unlock frees the lock, and blocks until the lock is free; later
	// calls do nothing. A note given to unlock replaces the stored note. The stored note stays
	// if unlock gets the zero Note, or if held is done. A Publish deletes the note, and so
	// does a Withdraw that removes the token. A store for many machines keeps no Local note.
	TryLock(ctx context.Context, pass func(Note) bool) (held context.Context, unlock func(Note), err error)
}

// A Watcher is a Sink that can put its token back after another program has removed it.
type Watcher interface {
	Sink

	// Watch keeps the token in place that this Sink published last, until the Watch is
	// stopped: if the token is removed, the Watch puts it back. The account is that of the
	// shared token; a store shows it to other processes. Ctx bounds only the start.
	//
	// A second Watch on the same Sink is an error. If Watches can find one another, a Watch
	// is refused with a [*ConflictError] while a token of another account is watched there.
	Watch(ctx context.Context, account Account) (Watch, error)
}

// A Watch keeps a Sink's token in place until Stop. [Watcher.Watch] starts one.
type Watch interface {
	// Changed receives when another process has replaced the published token, or when the
	// token couldn't be put back. The channel holds one such notice. It is never closed.
	Changed() <-chan struct{}

	// Restored returns how many times the token was put back.
	Restored() uint64

	// Stop ends the watch and returns when it has ended. It doesn't withdraw the token. A
	// second Stop does nothing.
	Stop()
}

// A SharerLister is a Store that knows which processes share a token in it. Live sharers
// are running. Dead sharers ended without withdrawing the token; the first Publish of
// another sharer removes them from the list.
type SharerLister interface {
	Store
	Sharers(ctx context.Context) (live, dead []Sharer, err error)
}

// A Sharer is a process that shares a token in a Store and keeps it there.
type Sharer struct {
	PID     int
	Host    string // "" in a store of one machine
	Account        // the account of the shared token
}

// String names the process.
func (s Sharer) String() string {
	if s.Host == "" {
		return fmt.Sprintf("process %d", s.PID)
	}
	return fmt.Sprintf("process %d on %s", s.PID, s.Host)
}

// sharersOf returns the processes that share in a sink, none if the sink doesn't know them.
func sharersOf(ctx context.Context, sink Sink) (live, dead []Sharer, err error) {
	if lister, ok := sink.(SharerLister); ok {
		return lister.Sharers(ctx)
	}
	return nil, nil, nil
}

// orphaned reports whether all sharers have died without withdrawing the token.
func orphaned(live, dead []Sharer) bool { return len(live) == 0 && len(dead) > 0 }

// sinkName returns the sink's name, for logs and errors.
func sinkName(sink Sink) string {
	if named, ok := sink.(fmt.Stringer); ok {
		return named.String()
	}
	return fmt.Sprintf("%T", sink)
}
