package limittest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// The whole amount goes at once. Who comes then goes in the order of the reservations.
func testBurst(t *suite) {
	a, b := t.open(), t.open()
	for range 5 {
		t.goes("a request within the limit", t.step(a, t.change(ratelimit.Reserve, "10/h")))
		t.goes("a request within the limit", t.step(b, t.change(ratelimit.Reserve, "10/h")))
	}
	t.waits("the 11th request", t.step(a, t.change(ratelimit.Reserve, "10/h")), 6*time.Minute)
	late := t.change(ratelimit.Reserve, "10/h")
	first := t.step(b, late)
	t.waits("the 12th request", first, 12*time.Minute)
	t.waits("the 12th request, asking again", t.step(b, again(late, first)), 12*time.Minute)
}

func testUnits(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Reserve, "10pu/h")
	c.Units = 4
	t.goes("the first", t.step(s, c))
	t.goes("the second", t.step(s, c))
	t.waits("the third, which lacks two units", t.step(s, c), 12*time.Minute)
}

// The limit that allows least decides, and all are counted against.
func testSeveralLimits(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Reserve, "4/h,20pu/2h")
	c.Units = 10
	t.goes("the first", t.step(s, c))
	t.goes("the second", t.step(s, c))
	t.waits("the third, for units", t.step(s, c), time.Hour)
	c.Units = 0
	t.waits("one without units, for those before it", t.step(s, c), time.Hour)
	t.waits("the fifth request", t.step(s, c), time.Hour)
}

// What was reserved too much is put back, and what was reserved too little is taken.
func testCorrection(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Reserve, "10pu/h")
	c.Units = 10
	first := t.step(s, c)
	t.goes("the first", first)
	done := finish(c, first)
	done.Spent = 4
	t.step(s, done)
	c.Units = 6
	second := t.step(s, c)
	t.goes("the second", second)
	done = finish(c, second)
	done.Spent = 9
	t.step(s, done)
	c.Units = 1
	t.waits("the third", t.step(s, c), 24*time.Minute)
}

func testNotSent(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Reserve, "1/h")
	first := t.step(s, c)
	t.goes("the first", first)
	done := finish(c, first)
	done.Sent = false
	a := t.step(s, done)
	if a.Minute.Requests != 0 {
		t.Errorf("%d requests were counted", a.Minute.Requests)
	}
	t.goes("the next", t.step(s, t.change(ratelimit.Reserve, "1/h")))
}

// Two policies can't both hold: the first does, for as long as its members are there.
func testOtherPolicy(t *suite) {
	a, b := t.open(), t.open()
	t.goes("the first", t.step(a, t.change(ratelimit.Reserve, "1/h")))
	second := t.step(b, t.change(ratelimit.Reserve, "10/h"))
	t.waits("the second", second, time.Hour)
	if second.Policy != "1/h" {
		t.Errorf("the policy in force is %q, want that of the first", second.Policy)
	}
}

// A member without a policy keeps to that of the others.
func testNoPolicy(t *suite) {
	a, b := t.open(), t.open()
	t.goes("the first", t.step(a, t.change(ratelimit.Reserve, "auto")))
	t.goes("the second", t.step(a, t.change(ratelimit.Reserve, "1/h")))
	third := t.step(b, t.change(ratelimit.Reserve, "auto"))
	t.waits("the third", third, time.Hour)
	if third.Policy != "1/h" {
		t.Errorf("the policy in force is %q", third.Policy)
	}
}

// A state that has lost its record begins with what a member knows, which can't be more
// than a whole period.
func testRecall(t *suite) {
	c := t.change(ratelimit.Reserve, "10/h")
	c.Known = []float64{1e15}
	t.waits("a request", t.step(t.open(), c), 6*time.Minute)
	c.Known = []float64{2e15}
	t.waits("the next", t.step(t.open(), c), 12*time.Minute)
}

// Who waits for a turn in a record that was lost gets one in the new record.
func testRecallTurn(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Wait, "auto")
	c.KnownPace, c.Ticket = 3600e3, ratelimit.Ticket{Turn: 5000, Epoch: 70}
	t.goes("the first that asks", t.step(s, c))
	d := t.change(ratelimit.Wait, "auto")
	d.Ticket = ratelimit.Ticket{Turn: 4000, Epoch: 70}
	if a := t.step(s, d); a.Go || a.Ticket.Turn != 2 {
		t.Errorf("the second gets turn %d (go: %v), want 2", a.Ticket.Turn, a.Go)
	}
}

func testCarry(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Reserve, "10/h")
	c.Carry = []float64{9}
	t.goes("the last of ten", t.step(s, c))
	c.Carry = []float64{}
	t.waits("the next", t.step(s, c), 6*time.Minute)
}

func testCounts(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Reserve, "10/h,100pu/h,5")
	c.Units = 3
	a := t.step(s, c)
	if a.InUse != 1 || a.Month.Requests != 0 {
		t.Errorf("%d slots in use and %d requests, want 1 and 0", a.InUse, a.Month.Requests)
	}
	a = t.step(s, finish(c, a))
	want := ratelimit.Usage{Requests: 1, Units: 3}
	if a.InUse != 0 || a.Month != want || a.Recent > 1 {
		t.Errorf("after a success: %d slots in use, %+v this month, %d recently", a.InUse, a.Month, a.Recent)
	}
	b := t.step(s, c)
	a = t.step(s, refuse(c, b, 0))
	want.Refused = 1
	if a.Month != want {
		t.Errorf("after a refusal: %+v, want %+v", a.Month, want)
	}
	c.Month = "2026-02"
	if a = t.step(s, c); a.Month != (ratelimit.Usage{}) {
		t.Errorf("a new month begins with %+v", a.Month)
	}
	c.Month = "2026-01" // a clock that is behind
	if a = t.step(s, finish(c, a)); a.Month.Requests != 1 {
		t.Errorf("a member whose clock is behind: %+v", a.Month)
	}
}

func testLook(t *suite) {
	s := t.open()
	look := ratelimit.Change{Op: ratelimit.Look, Month: "2026-01"}
	if a := t.step(s, look); a.Policy != "" || a.Go {
		t.Errorf("an empty state answers %+v", a)
	}
	t.step(s, t.change(ratelimit.Reserve, "10/h,3"))
	before := t.step(s, look)
	after := t.step(s, look)
	if before.Policy != "10/h,3" || after.InUse != 1 || after.Queued != 0 || after.Wait != 0 {
		t.Errorf("it answers %+v", after)
	}
	for range 9 {
		t.step(s, t.change(ratelimit.Reserve, "10/h,3"))
	}
	t.waits("one that came now", t.step(s, look), 6*time.Minute)
	t.waits("one that came now, as before", t.step(s, look), 6*time.Minute)
}

// Members that come at once are counted each.
func testTogether(t *suite) {
	const members, each = 4, 20
	var went atomic.Int64
	var all sync.WaitGroup
	for range members {
		s := t.open()
		c := t.change(ratelimit.Reserve, "30/h")
		all.Go(func() {
			for range each {
				a, err := s.Step(t.Context(), c)
				if err != nil {
					t.Error(err)
				}
				if a.Go {
					went.Add(1)
				}
			}
		})
	}
	all.Wait()
	if n := went.Load(); n < 30 || n > 31 { // an hour has two minutes for each
		t.Errorf("%d of %d requests could go, want 30", n, members*each)
	}
}
