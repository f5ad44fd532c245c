package ratelimit

import "math"

// From refusals the state learns a pace, at which waiting requests take turns.
const (
	maxPause   = 5 * 60e3 // ms: no Retry-After is believed beyond that
	firstLeast = 10       // ms: the pace after the first refusal is its pause,
	firstMost  = 1e3      // ms: within these bounds
	minPace    = 1        // ms
	maxPace    = 60e3     // ms
	slower     = 1.25     // the pace after a refusal
	faster     = 0.98     // the pace after a success
	muchFaster = 0.8      // and if there were no refusals for
	quietTime  = 60e3     // ms
	quietTurns = 20       // turns, whichever is longer; then, with nobody waiting, the pace is forgotten
	longWait   = 200      // ms: of longer waits for a turn half is slept: the pace may have changed
	longNap    = 5e3      // ms: and no longer than this
)

// nextTurn assigns the next turn.
func (r *record) nextTurn(now float64) int64 {
	r.Tail++
	if r.turnAt(r.Tail) < now { // nobody waits, and the last turn was long enough ago
		r.Head, r.HeadAt = float64(r.Tail), now
	}
	return r.Tail
}

// turnAt returns when a turn comes.
func (r *record) turnAt(turn int64) float64 {
	return r.HeadAt + max(0, float64(turn)-r.Head)*r.Pace
}

// rebase makes the turn that comes now the head, before the pace changes.
func (r *record) rebase(now float64) {
	if r.Pace > 0 && now > r.HeadAt {
		r.Head, r.HeadAt = r.Head+(now-r.HeadAt)/r.Pace, now
	}
}

// waitTurn returns how long to wait for a turn, or when to ask again: 0 if it may be taken.
func (r *record) waitTurn(turn int64, now float64) float64 {
	wait := r.turnAt(turn) - now
	switch {
	case wait > longWait:
		return min(wait/2, longNap)
	case wait > 0:
		return wait
	case now >= r.Next:
		return 0
	case !r.isLate(turn, now):
		return r.Next - now
	}
	r.Late = max(r.Late, r.Next)
	wait = min(r.Late-now, longNap)
	r.Late += r.Pace
	return wait
}

// isLate reports whether the next turn has come already, because the holder of this one
// slept while the pace became faster.
func (r *record) isLate(turn int64, now float64) bool {
	return r.Head+(now-r.HeadAt)/r.Pace >= float64(turn)+1
}

// takeTurn lets a request go that has a turn. If it is late, it goes in the place of the one
// whose turn it is now, and all others go one turn later. Two never go within a pace, however
// many wake at once, but that a turn may be late by one pace and the one after it isn't.
func (r *record) takeTurn(turn int64, now float64) {
	if r.isLate(turn, now) {
		r.rebase(now)
		r.Head--
	}
	r.Next = max(r.Next, now-r.Pace) + r.Pace
	r.Gone++
}

// isQuiet reports whether there were no refusals for so long that the pace must be far too
// slow, or that it isn't needed any more.
func (r *record) isQuiet(now float64) bool {
	return now > r.PausedAt+max(quietTime, quietTurns*r.Pace)
}

// succeeded makes the pace faster, unless the request was sent before the last pause: then it
// says nothing of the pace since.
func (r *record) succeeded(c Change, now float64) {
	if r.Pace == 0 || c.Ticket.Epoch != r.Epoch {
		return
	}
	r.rebase(now)
	factor := float64(faster)
	if r.isQuiet(now) {
		factor = muchFaster
	}
	r.Pace = max(r.Pace*factor, minPace)
}

// refused pauses all members. Of the refusals of one pause, only the first changes the pace:
// the other requests were sent before the first refusal was known. The first refused request
// gets the turn when the pause ends; the others follow one by one.
func (r *record) refused(c Change, now float64) (next Ticket) {
	pause := min(max(c.Pause, 0), maxPause)
	r.PausedAt = now
	r.rebase(now)
	if c.Ticket.Epoch == r.Epoch || r.Pace == 0 {
		r.Epoch++
		if r.Pace == 0 {
			r.Pace = min(max(pause, firstLeast), firstMost)
			r.Tail++
			r.Head, r.HeadAt = float64(r.Tail), now
		} else {
			r.Head = math.Floor(r.Head)
			if r.Gone > 1 { // else the pause was too short, and the pace isn't to blame
				r.Pace = min(r.Pace*slower, maxPace)
			}
		}
		r.Gone = 0
		next = Ticket{Turn: int64(r.Head), Epoch: r.Epoch}
	}
	r.Paused = max(r.Paused, now+pause)
	r.Next = max(r.Next, r.Paused)
	r.HeadAt = max(r.HeadAt, r.Next)
	return next
}
