// Package storetest tests implementations of shsession.Store, as testing/fstest and
// golang.org/x/net/nettest do for file systems and connections. Its [Memory] is a Store for
// the tests of programs that use a Store.
package storetest

import (
	"testing"
	"testing/synctest"

	"github.com/shsession/shsession"
)

// A Setup is one empty store to test.
type Setup struct {
	// Open returns a handle of the store, as another process would have. The tests call
	// it several times.
	Open func() shsession.Store

	// Remove removes the token from the store as another program would, without a handle. It
	// may be nil; then the suite doesn't test whether a Watch puts the token back.
	Remove func()

	// LoseLock takes the lock from its holder, as an expiry would. It may be nil for a
	// store where that can't happen.
	LoseLock func()

	// Die does what happens in the store when a process is killed that has the store's lock
	// and shares a token of that account. The token stays. Die may be nil; then the suite
	// doesn't test what a killed process leaves.
	Die func(shsession.Account)

	// Forgets: the store keeps no expired token, and refuses to publish one with
	// shsession.ErrExpired.
	Forgets bool

	// ManyMachines: the store is for many machines, and keeps no Local note.
	ManyMachines bool
}

// Test tests the whole contract of shsession.Store, and of shsession.Watcher if the store
// is one. It calls setup once for each test, with that test's t for its cleanups and
// failures.
func Test(t *testing.T, setup func(t *testing.T) Setup) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, setup(t)) })
	}
}

// TestInBubble is Test with each test in a testing/synctest bubble of its own.
func TestInBubble(t *testing.T, setup func(t *testing.T) Setup) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test.run(t, setup(t)) })
		})
	}
}

var tests = []struct {
	name string
	run  func(t *testing.T, s Setup)
}{
	{"LoadNothing", testLoadNothing},
	{"RoundTrip", testRoundTrip},
	{"Replace", testReplace},
	{"Sizes", testSizes},
	{"TooLong", testTooLong},
	{"NoToken", testNoToken},
	{"Expired", testExpired},
	{"Withdraw", testWithdraw},
	{"WithdrawNothing", testWithdrawNothing},
	{"WithdrawAnothers", testWithdrawAnothers},
	{"NoMixture", testNoMixture},
	{"ContextDone", testContextDone},
	{"Lock", testLock},
	{"LockContext", testLockContext},
	{"LockContended", testLockContended},
	{"LockStale", testLockStale},
	{"LockLost", testLockLost},
	{"NoteKeepsOut", testNoteKeepsOut},
	{"NotePass", testNotePass},
	{"NoteEnded", testNoteEnded},
	{"NoteStays", testNoteStays},
	{"NoteReplaced", testNoteReplaced},
	{"NotePublish", testNotePublish},
	{"NoteWithdraw", testNoteWithdraw},
	{"NoteTooLate", testNoteTooLate},
	{"NoteLost", testNoteLost},
	{"NoteLocal", testNoteLocal},
	{"NoteCapped", testNoteCapped},
	{"Dead", testDead},
	{"WatchRestores", testWatchRestores},
	{"WatchMissing", testWatchMissing},
	{"WatchChanged", testWatchChanged},
	{"WatchTwice", testWatchTwice},
	{"WatchPeers", testWatchPeers},
	{"WatchWithdraw", testWatchWithdraw},
	{"WatchConflict", testWatchConflict},
	{"WatchAccounts", testWatchAccounts},
}
