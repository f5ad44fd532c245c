package ratelimit_test

import (
	"testing"

	"github.com/shsession/shsession/ratelimit"
)

const minute = 60e3 // ms

// A state's clock may jump: set back it costs nobody a wait, and set forward it lets go what
// the limit allows in the time that it skipped, but for a period's amount at most.
func TestClockJumps(t *testing.T) {
	for name, jump := range map[string]float64{"back": -10 * minute, "forward": 10 * minute, "not": 0} {
		t.Run(name, func(t *testing.T) {
			const start = 1.8e12
			r, c := new(ratelimit.Record), policy(t, "10/min").Change(ratelimit.Reserve)
			for range 10 {
				if a := r.Step(c, start); !a.Go {
					t.Fatalf("a request within the limit waits %v ms", a.Wait)
				}
			}
			at, went := start+jump, 0
			for range 100 {
				if a := r.Step(c, at); a.Go {
					went++
				} else if a = r.Step(notSent(c, a), at); a.Go {
					t.Error("what is given back may go")
				}
			}
			want := 0
			if jump > 0 {
				want = 10
			}
			if went != want {
				t.Errorf("%d requests go after the jump, want %d", went, want)
			}
			if a := r.Step(c, at+6000); !a.Go {
				t.Errorf("six seconds later a request waits %v ms", a.Wait)
			}
			if a := r.Step(c, at+6000); a.Go || a.Wait > 6000 {
				t.Errorf("the one after that waits %v ms (go: %v), want 6 s", a.Wait, a.Go)
			}
		})
	}
}

// notSent takes a reservation back.
func notSent(c ratelimit.Change, a ratelimit.Answer) ratelimit.Change {
	c.Op, c.Ticket = ratelimit.Finish, a.Ticket
	return c
}

// A pause lasts no longer because the clock is set back, and a slot is kept by its holder.
func TestClockSetBack(t *testing.T) {
	const start = 1.8e12
	r, c := new(ratelimit.Record), policy(t, "1").Change(ratelimit.Reserve)
	c.ID, c.Lease = "one", 10e3
	if a := r.Step(c, start); !a.Go {
		t.Fatalf("the first waits %v ms", a.Wait)
	}
	other := c
	other.ID = "other"
	if a := r.Step(other, start-10*minute); a.Go || a.InUse != 1 {
		t.Errorf("with the clock set back, %d slots are in use (go: %v), want 1", a.InUse, a.Go)
	}
	done := c
	done.Op, done.Sent, done.Refused, done.Pause = ratelimit.Finish, true, true, minute
	r.Step(done, start-10*minute)
	if a := r.Step(other, start-20*minute); a.Go || a.Paused != minute {
		t.Errorf("the pause lasts %v ms, want a minute", a.Paused)
	}
	c.Op = ratelimit.Look
	if a := r.Step(c, start-19*minute); a.Paused != 0 {
		t.Errorf("a minute later the pause lasts %v ms more", a.Paused)
	}
}
