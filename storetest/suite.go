// Package storetest tests implementations of shsession.Store, as testing/fstest and
// golang.org/x/net/nettest do for file systems and connections. Its [Memory] is a Store
// for the tests of programs that use one.
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

	// Remove removes the token from the store by other means than a handle's. It may be
	// nil; then whether a Watch puts it back isn't tested.
	Remove func()

	// LoseLock takes the lock from its holder, as an expiry would. It may be nil for a
	// store where that can't happen.
	LoseLock func()

	// Forgets: the store keeps no token past its end, and refuses with
	// shsession.ErrExpired to publish one that has ended.
	Forgets bool
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
	{"WatchRestores", testWatchRestores},
	{"WatchMissing", testWatchMissing},
	{"WatchChanged", testWatchChanged},
	{"WatchTwice", testWatchTwice},
	{"WatchFellows", testWatchFellows},
	{"WatchWithdraw", testWatchWithdraw},
	{"WatchConflict", testWatchConflict},
}
