package ratelimit

import (
	"math"
	"slices"
)

// A record is what a State holds. The script in package redisstore is the same in Lua.
//
// Each rule has a bucket, kept as the time at which it will be full again (the theoretical
// arrival time of the generic cell rate algorithm, ITU-T I.371). A reservation moves that
// time on, also beyond a whole period: then the bucket is overdrawn, and the first
// reservation goes first.
//
// The pace that is learned from refusals is kept apart. A 429 pauses all members. After the
// pause the waiting requests take turns, one each pace.
type record struct {
	Skew float64 `json:"skew,omitzero"` // of the record's clock from the wall's, which may be set back
	Last float64 `json:"last,omitzero"` // the record's time at the last step

	Began float64 `json:"began,omitzero"` // the time of the first

	Policy   string    `json:"policy,omitzero"`
	PolicyAt float64   `json:"policy_at,omitzero"` // when a member with that policy made its last step
	Rules    []Rule    `json:"rules,omitzero"`
	Slots    int       `json:"slots,omitzero"`
	Full     []float64 `json:"full,omitzero"` // when each rule's bucket is full

	Held   []lease `json:"held,omitzero"`   // slots
	Queued []lease `json:"queued,omitzero"` // reservations that wait for a slot, in order

	Paused   float64 `json:"paused,omitzero"`    // the end of the pause
	PausedAt float64 `json:"paused_at,omitzero"` // the last refusal
	Epoch    int64   `json:"epoch,omitzero"`     // the number of pauses
	Pace     float64 `json:"pace,omitzero"`      // between two turns; 0 if no turns are taken
	Head     float64 `json:"head,omitzero"`      // the turn that comes
	HeadAt   float64 `json:"head_at,omitzero"`   // at this time
	Tail     int64   `json:"tail,omitzero"`      // the last turn that was assigned
	Next     float64 `json:"next,omitzero"`      // no turn is taken before this time
	Late     float64 `json:"late,omitzero"`      // when a reservation that missed its turn has to ask again
	Gone     int64   `json:"gone,omitzero"`      // the number of turns taken since the last pause

	MinuteNo int64  `json:"minute_no,omitzero"`
	Minute   Usage  `json:"minute,omitzero"`
	Before   Usage  `json:"before,omitzero"` // the minute before
	MonthNo  string `json:"month_no,omitzero"`
	Month    Usage  `json:"month,omitzero"`
}

// A lease is kept for a member until it ends.
type lease struct {
	ID    string  `json:"id,omitzero"`
	Until float64 `json:"until,omitzero"`
}

const (
	policyLease  = 60e3 // ms: a policy that no member uses for so long can be replaced
	slotPoll     = 50   // ms between two looks of the first reservation that waits for a slot
	slackFrom    = 50   // a bucket of this amount or more is not emptied completely
	slackPortion = 0.02
)

// apply makes one step. Wall is the time by the clock of the state's machine.
func (r *record) apply(c Change, wall float64) Answer {
	lost := r.Last == 0
	now := r.clock(wall)
	r.count(c, now)
	r.adopt(c, now)
	if lost {
		r.Began = now
		r.recall(c, now)
	}
	for i := range min(len(c.Carry), len(r.Full)) {
		r.spend(i, c.Carry[i], now)
	}
	r.Held = expire(r.Held, now)
	r.Queued = expire(r.Queued, now)
	a := Answer{Ticket: c.Ticket}
	switch c.Op {
	case Reserve:
		a.Ticket = r.reserve(c, now)
		r.admit(c, &a, now)
	case Wait:
		r.admit(c, &a, now)
	case Renew:
		extend(r.Held, c.ID, now+c.Lease)
		extend(r.Queued, c.ID, now+c.Lease)
	case Finish:
		a.Ticket = r.finish(c, now)
	case Look:
		a.Wait = r.outlook(now)
	}
	a.Policy, a.Recent, a.MinuteNo, a.Minute, a.Month = r.Policy, r.Minute.Requests+r.Before.Requests, r.MinuteNo, r.Minute, r.Month
	a.InUse, a.Queued, a.Paused, a.Pace = len(r.Held), len(r.Queued), max(0, r.Paused-now), r.Pace
	a.Began, a.Full = r.Began, slices.Clone(r.Full)
	return a
}

// clock returns the record's time, which never goes back.
func (r *record) clock(wall float64) float64 {
	now := wall + r.Skew
	if now < r.Last {
		r.Skew += r.Last - now
		now = r.Last
	}
	r.Last = now
	return now
}

// count begins new minutes and months.
func (r *record) count(c Change, now float64) {
	if minute := int64(math.Floor(now / 60e3)); minute != r.MinuteNo {
		r.Before = Usage{}
		if minute == r.MinuteNo+1 {
			r.Before = r.Minute
		}
		r.MinuteNo, r.Minute = minute, Usage{}
	}
	if c.Month > r.MonthNo {
		r.MonthNo, r.Month = c.Month, Usage{}
	}
}

// adopt puts the member's policy in force if no other member has another one.
func (r *record) adopt(c Change, now float64) {
	if c.Policy == "" || c.Op == Look {
		return
	}
	if c.Policy != r.Policy {
		if r.Policy != "" && now < r.PolicyAt+policyLease {
			return
		}
		full := make([]float64, len(c.Rules))
		for i, rule := range c.Rules {
			if old := slices.Index(r.Rules, rule); old >= 0 {
				full[i] = r.Full[old]
			}
		}
		r.Policy, r.Rules, r.Slots, r.Full = c.Policy, c.Rules, c.Slots, full
	}
	r.PolicyAt = now
}

// recall begins a record from what a member knows of the lost one.
func (r *record) recall(c Change, now float64) {
	for i := range min(len(c.Known), len(r.Full)) {
		r.Full[i] = min(c.Known[i], now+r.Rules[i].Period)
	}
	if c.KnownPace > 0 {
		r.Pace, r.PausedAt = c.KnownPace, now
	}
}

// spend takes an amount out of a rule's bucket, or puts it back if it is negative.
func (r *record) spend(i int, amount, now float64) {
	rule := r.Rules[i]
	r.Full[i] = max(r.Full[i], now) + amount*rule.Period/rule.Amount
}

// spendAll takes a number of requests and units out of all buckets.
func (r *record) spendAll(requests, units, now float64) {
	for i, rule := range r.Rules {
		if rule.Units {
			r.spend(i, units, now)
		} else {
			r.spend(i, requests, now)
		}
	}
}

// reserve counts a request against all rules.
func (r *record) reserve(c Change, now float64) Ticket {
	r.spendAll(1, c.Units, now)
	t := Ticket{At: now, Epoch: r.Epoch}
	for i, rule := range r.Rules {
		t.At = max(t.At, r.Full[i]-rule.burst())
	}
	if r.Pace > 0 && r.isQuiet(now) && r.turnAt(r.Tail) <= now {
		r.Pace = 0
	}
	switch {
	case r.Pace > 0 && c.Ticket.Turn > 0 && c.Ticket.Epoch == r.Epoch:
		t.Turn = c.Ticket.Turn // which the request was given when it was refused
	case r.Pace > 0:
		t.Turn = r.nextTurn(now)
	}
	return t
}

// burst returns how long a bucket takes to fill that may be used up at once.
func (r Rule) burst() float64 {
	if r.Amount >= slackFrom {
		return r.Period * (1 - slackPortion)
	}
	return r.Period
}

// outlook returns how long a request without units would wait that came now, not counting
// the wait for a slot.
func (r *record) outlook(now float64) float64 {
	at := max(now, r.Paused)
	for i, rule := range r.Rules {
		full := max(r.Full[i], now)
		if !rule.Units {
			full += rule.Period / rule.Amount
		}
		at = max(at, full-rule.burst())
	}
	if r.Pace > 0 {
		at = max(at, r.turnAt(r.Tail+1))
	}
	return at - now
}

// admit says whether a reservation may go, or when to ask again.
func (r *record) admit(c Change, a *Answer, now float64) {
	t := &a.Ticket
	t.Epoch = r.Epoch
	if r.Pace > 0 && (t.Turn == 0 || t.Turn > r.Tail) { // everybody was paused meanwhile, or the record was lost
		t.Turn = r.nextTurn(now)
	}
	a.Wait = max(t.At, r.Paused) - now
	inTurn := t.Turn > 0 && r.Pace > 0
	if inTurn {
		a.Wait = max(a.Wait, r.waitTurn(t.Turn, now))
	}
	if a.Wait <= 0 {
		a.Wait = min(r.takeSlot(c, now), c.Lease/3)
	}
	a.Go = a.Wait == 0
	if a.Go && inTurn {
		r.takeTurn(t.Turn, now)
	}
}

// takeSlot moves a reservation from the queue to a slot if that is free for it. Otherwise
// it returns when to look again, in milliseconds.
func (r *record) takeSlot(c Change, now float64) float64 {
	if r.Slots == 0 || extend(r.Held, c.ID, now+c.Lease) {
		return 0
	}
	if !extend(r.Queued, c.ID, now+c.Lease) { // it is new, or its place ended
		r.Queued = append(r.Queued, lease{c.ID, now + c.Lease})
	}
	place := slices.IndexFunc(r.Queued, func(l lease) bool { return l.ID == c.ID })
	if free := r.Slots - len(r.Held); place >= free {
		return slotPoll * float64(place-max(free, 0)+1)
	}
	r.Queued = slices.Delete(r.Queued, place, place+1)
	r.Held = append(r.Held, lease{c.ID, now + c.Lease})
	return 0
}

// finish frees the slot and learns from the outcome. It returns a ticket for the next
// reservation of the same request.
func (r *record) finish(c Change, now float64) Ticket {
	isIt := func(l lease) bool { return l.ID == c.ID }
	r.Held = slices.DeleteFunc(r.Held, isIt)
	r.Queued = slices.DeleteFunc(r.Queued, isIt)
	switch {
	case !c.Sent:
		r.spendAll(-1, -c.Units, now)
	case c.Refused:
		r.spendAll(-1, -c.Units, now) // the service didn't count it either
		r.Minute.Refused++
		r.Month.Refused++
		return r.refused(c, now)
	default:
		r.spendAll(0, c.Spent-c.Units, now)
		for _, usage := range []*Usage{&r.Minute, &r.Month} {
			usage.Requests++
			usage.Units += c.Spent
		}
		r.succeeded(c, now)
	}
	return Ticket{}
}

// expire removes the leases that have ended.
func expire(leases []lease, now float64) []lease {
	return slices.DeleteFunc(leases, func(l lease) bool { return l.Until <= now })
}

// extend gives a reservation's lease a new end. It reports whether there is one.
func extend(leases []lease, id string, until float64) bool {
	for i := range leases {
		if leases[i].ID == id {
			leases[i].Until = until
			return true
		}
	}
	return false
}
