package limittest

import (
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// There are as many requests at a time as there are slots. Who waits is served in order.
func testSlots(t *suite) {
	a, b := t.open(), t.open()
	one, two := t.change(ratelimit.Reserve, "2"), t.change(ratelimit.Reserve, "2")
	three, four := t.change(ratelimit.Reserve, "2"), t.change(ratelimit.Reserve, "2")
	first, second := t.step(a, one), t.step(b, two)
	t.goes("the first", first)
	t.goes("the second", second)
	third, fourth := t.step(a, three), t.step(b, four)
	t.waits("the third", third, 0)
	if fourth.InUse != 2 || fourth.Queued != 2 {
		t.Errorf("%d slots are in use and %d wait, want 2 and 2", fourth.InUse, fourth.Queued)
	}
	t.step(b, finish(two, second))
	t.waits("the fourth, before the third", t.step(b, again(four, fourth)), 0)
	third = t.step(a, again(three, third))
	t.goes("the third", third)
	t.step(a, finish(three, third))
	t.goes("the fourth", t.step(b, again(four, fourth)))
}

// Who holds a slot and dies loses it when the lease ends.
func testSlotLease(t *suite) {
	s := t.open()
	dead := t.change(ratelimit.Reserve, "1")
	dead.Lease = 200
	t.goes("the first", t.step(s, dead))
	live := t.change(ratelimit.Reserve, "1")
	a := t.step(s, live)
	t.waits("the second", a, 0)
	t.untilGo(s, live, a)
}

// Who waits in the queue and dies keeps nobody waiting for longer than its lease.
func testQueueLease(t *suite) {
	s := t.open()
	holder, dead, live := t.change(ratelimit.Reserve, "1"), t.change(ratelimit.Reserve, "1"), t.change(ratelimit.Reserve, "1")
	dead.Lease = 200
	first := t.step(s, holder)
	t.step(s, dead)
	a := t.step(s, live)
	t.step(s, finish(holder, first))
	t.untilGo(s, live, a)
}

// untilGo asks until a reservation may go, and returns the answer.
func (t *suite) untilGo(s ratelimit.State, c ratelimit.Change, a ratelimit.Answer) ratelimit.Answer {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); !a.Go; a = t.step(s, again(c, a)) {
		if time.Now().After(deadline) {
			t.Fatal("it never goes")
		}
		<-ticker.C
	}
	return a
}
