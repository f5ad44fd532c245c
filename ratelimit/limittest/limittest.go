// Package limittest tests implementations of ratelimit.State, as package storetest does for
// shsession.Store.
package limittest

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// Test tests the whole contract of ratelimit.State. Open returns a function that returns
// handles of one empty state, as several processes would have. It is called once for each
// test, with that test's t.
//
// Limits in the tests are for an hour, so that it doesn't matter how long a test takes.
func Test(t *testing.T, open func(t *testing.T) func() ratelimit.State) {
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(&suite{T: t, open: open(t)}) })
	}
}

var tests = []struct {
	name string
	run  func(t *suite)
}{
	{"Burst", testBurst},
	{"Units", testUnits},
	{"SeveralLimits", testSeveralLimits},
	{"Correction", testCorrection},
	{"NotSent", testNotSent},
	{"Refused", testRefused},
	{"LongestPause", testLongestPause},
	{"Turns", testTurns},
	{"Faster", testFaster},
	{"Probe", testProbe},
	{"LateRefusals", testLateRefusals},
	{"Slots", testSlots},
	{"SlotLease", testSlotLease},
	{"QueueLease", testQueueLease},
	{"OtherPolicy", testOtherPolicy},
	{"NoPolicy", testNoPolicy},
	{"Recall", testRecall},
	{"RecallTurn", testRecallTurn},
	{"Carry", testCarry},
	{"Counts", testCounts},
	{"Look", testLook},
	{"Together", testTogether},
	{"ContextDone", testContextDone},
}

// A suite is one test with its state.
type suite struct {
	*testing.T
	open func() ratelimit.State
	ids  int
}

// change returns a change by a member with the policy that text says.
func (t *suite) change(op ratelimit.Op, text string) ratelimit.Change {
	t.Helper()
	p, err := ratelimit.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	t.ids++
	c := p.Change(op)
	c.ID, c.Lease, c.Month = strconv.Itoa(t.ids), 3600e3, "2026-01"
	return c
}

func (t *suite) step(s ratelimit.State, c ratelimit.Change) ratelimit.Answer {
	t.Helper()
	a, err := s.Step(t.Context(), c)
	if err != nil {
		t.Fatalf("%s: %v", c.Op, err)
	}
	return a
}

// finish ends a reservation that was answered a.
func finish(c ratelimit.Change, a ratelimit.Answer) ratelimit.Change {
	c.Op, c.Ticket, c.Sent, c.Spent = ratelimit.Finish, a.Ticket, true, c.Units
	return c
}

// refuse ends it with a 429.
func refuse(c ratelimit.Change, a ratelimit.Answer, pause time.Duration) ratelimit.Change {
	c = finish(c, a)
	c.Refused, c.Pause = true, float64(pause.Milliseconds())
	return c
}

// again asks once more for a reservation that was answered a.
func again(c ratelimit.Change, a ratelimit.Answer) ratelimit.Change {
	c.Op, c.Ticket = ratelimit.Wait, a.Ticket
	return c
}

// goes fails unless a request may go.
func (t *suite) goes(what string, a ratelimit.Answer) {
	t.Helper()
	if !a.Go || a.Wait != 0 {
		t.Fatalf("%s has to wait %v ms (go: %v)", what, a.Wait, a.Go)
	}
}

// waits fails unless a request has to wait for about so long: the test may take a minute.
func (t *suite) waits(what string, a ratelimit.Answer, want time.Duration) {
	t.Helper()
	wait := time.Duration(a.Wait * float64(time.Millisecond))
	if a.Go || wait > want+time.Second || wait < want-time.Minute {
		t.Fatalf("%s waits %v (go: %v), want %v", what, wait, a.Go, want)
	}
}

func testContextDone(t *suite) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := t.open().Step(ctx, t.change(ratelimit.Reserve, "10/h")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
