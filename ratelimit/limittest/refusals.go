package limittest

import (
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// One member's 429 pauses all.
func testRefused(t *suite) {
	a, b := t.open(), t.open()
	c := t.change(ratelimit.Reserve, "10/h")
	waiting := t.change(ratelimit.Reserve, "10/h")
	first, second := t.step(a, c), t.step(b, waiting)
	t.goes("the first", first)
	t.step(a, refuse(c, first, 4*time.Minute))
	t.waits("the next", t.step(b, t.change(ratelimit.Reserve, "10/h")), 4*time.Minute+time.Second)
	t.waits("one that could have gone", t.step(b, again(waiting, second)), 4*time.Minute+2*time.Second)
}

func testLongestPause(t *suite) {
	s := t.open()
	c := t.change(ratelimit.Reserve, "auto")
	t.step(s, refuse(c, t.step(s, c), 7*24*time.Hour))
	if a := t.step(s, c); a.Paused > 300e3 {
		t.Errorf("a pause of a week lasts %v ms, want five minutes", a.Paused)
	}
}

// After a refusal the request that was refused goes first, and the others one by one.
func testTurns(t *suite) {
	a, b := t.open(), t.open()
	c, d := t.change(ratelimit.Reserve, "auto"), t.change(ratelimit.Reserve, "auto")
	first := t.step(a, c)
	refused := t.step(a, refuse(c, first, 4*time.Minute))
	if refused.Pace != 1000 || refused.Ticket.Turn == 0 {
		t.Errorf("after a refusal the pace is %v and the ticket %+v", refused.Pace, refused.Ticket)
	}
	second := t.step(b, d)
	c.Ticket = refused.Ticket
	probe := t.step(a, c)
	third := t.step(b, t.change(ratelimit.Reserve, "auto"))
	if probe.Ticket.Turn >= second.Ticket.Turn || second.Ticket.Turn >= third.Ticket.Turn {
		t.Errorf("turns: the one refused %d, then %d and %d", probe.Ticket.Turn, second.Ticket.Turn, third.Ticket.Turn)
	}
	t.waits("the one refused", probe, 4*time.Minute)
	t.waits("the second", second, 4*time.Minute)
}

// Each success makes the pace faster, each pause makes it slower. What was sent before the
// last pause does neither.
func testFaster(t *suite) {
	s := t.open()
	c, early := t.change(ratelimit.Reserve, "auto"), t.change(ratelimit.Reserve, "auto")
	before, first := t.step(s, early), t.step(s, c)
	t.step(s, refuse(c, first, 0))
	if a := t.step(s, finish(early, before)); a.Pace != 10 {
		t.Errorf("the pace is %v ms after the success of what was sent before, want the first of 10", a.Pace)
	}
	success := t.step(s, finish(c, t.untilGo(s, c, t.step(s, c))))
	if success.Pace >= 10 || success.Pace < 5 {
		t.Errorf("the pace is %v ms after a success, want less than the first of 10", success.Pace)
	}
	slower := t.step(s, refuse(c, t.untilGo(s, c, t.step(s, c)), 0))
	if slower.Pace <= success.Pace {
		t.Errorf("the pace is %v ms after another refusal, before that %v", slower.Pace, success.Pace)
	}
}

// After a pause one request goes, however many wait. If the service refuses that one, too,
// the pause was too short, and the pace stays as it is.
func testProbe(t *suite) {
	a, b := t.open(), t.open()
	c, d := t.change(ratelimit.Reserve, "auto"), t.change(ratelimit.Reserve, "auto")
	c.KnownPace, d.KnownPace = 3600e3, 3600e3
	probe, other := t.step(a, c), t.step(b, d)
	t.goes("the first", probe)
	t.waits("the other", other, 5*time.Second)
	after := t.step(a, refuse(c, probe, 0))
	if after.Pace != 3600e3 {
		t.Errorf("the pace is %v ms, want an hour as before", after.Pace)
	}
	t.waits("the other", t.step(b, again(d, other)), 5*time.Second)
}

// Refusals of what was sent before the pause say nothing of the pace.
func testLateRefusals(t *suite) {
	a, b := t.open(), t.open()
	c, d := t.change(ratelimit.Reserve, "auto"), t.change(ratelimit.Reserve, "auto")
	first, second := t.step(a, c), t.step(b, d)
	one := t.step(a, refuse(c, first, time.Minute))
	two := t.step(b, refuse(d, second, 4*time.Minute))
	if two.Pace != one.Pace || two.Ticket.Turn != 0 {
		t.Errorf("the second refusal makes the pace %v, the first %v; its ticket is %+v", two.Pace, one.Pace, two.Ticket)
	}
	if two.Paused <= one.Paused {
		t.Errorf("the pause is %v ms, want the longer one's", two.Paused)
	}
}
