package ratelimit

import (
	"context"
	"time"
)

// A home is where a reservation was made: in the shared state if local is nil.
type home struct {
	made  bool
	local *Memory
}

// step makes a step of a reservation in the shared state or, while the shared state can't be
// reached, in the member's own state with its share of the limit. A reservation that was
// waiting in the other state is made anew. It returns where the step was made. The error is
// ctx's cause.
func (l *Limiter) step(ctx context.Context, c Change, at home) (Answer, home, error) {
	local, kept := l.whereToAsk()
	if local == nil {
		moved, ok := c.moved(at, nil)
		if !ok {
			return Answer{}, at, nil
		}
		if kept != nil {
			moved.Known, moved.KnownPace, moved.Carry = kept.Known, kept.KnownPace, kept.Carry
		}
		bounded, cancel := context.WithTimeout(ctx, stateTimeout)
		a, err := l.shared.Step(bounded, moved)
		cancel()
		if err == nil {
			l.answered(a, c)
			return a, home{made: true}, nil
		}
		if ctx.Err() != nil {
			return Answer{}, home{made: true}, context.Cause(ctx)
		}
		local = l.lose(err)
	}
	c, ok := c.moved(at, local)
	if !ok {
		return Answer{}, at, nil
	}
	c.Policy, c.Rules, c.Slots = "", nil, 0 // they are in force there
	a, err := local.Step(ctx, c)
	return a, home{made: true, local: local}, err
}

// moved returns the change for a state other than the one where the reservation was made. It
// is false if no change is needed: the reservation in the other state is given up.
func (c Change) moved(from home, to *Memory) (Change, bool) {
	if !from.made || from.local == to {
		return c, true
	}
	switch c.Op {
	case Finish:
		c.Ticket.Epoch = -1           // the pace here is not what led to a refusal
		return c, c.Sent && c.Refused // all members have to know of the refusal
	case Wait:
		c.Op, c.Ticket = Reserve, Ticket{}
	}
	return c, true
}

// whereToAsk returns the member's own state while the shared state is lost. Each time that
// the shared state is due to be tried again, one caller goes there, with what the shared
// state may have forgotten and what the member has used meanwhile.
func (l *Limiter) whereToAsk() (local *Memory, kept *Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.local == nil {
		return nil, &Change{Known: l.last.Full, KnownPace: l.last.Pace}
	}
	now := time.Now()
	if now.Before(l.askAt) {
		return l.local, nil
	}
	l.askAt = now.Add(tryAgain) // for the others
	return nil, &Change{Known: l.last.Full, KnownPace: l.last.Pace, Carry: l.local.used()}
}

// used returns how much of each rule was used since the Memory began.
func (m *Memory) used() []float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	used := make([]float64, len(m.record.Rules))
	for i, rule := range m.record.Rules {
		used[i] = float64(m.record.Month.Requests)
		if rule.Units {
			used[i] = m.record.Month.Units
		}
		used[i] = min(used[i], rule.Amount)
	}
	return used
}

// answered keeps the shared state's answer.
func (l *Limiter) answered(a Answer, c Change) {
	l.mu.Lock()
	if a.MinuteNo == l.minuteNo+1 {
		l.own = [2]int64{0, l.own[0]}
	} else if a.MinuteNo > l.minuteNo {
		l.own = [2]int64{}
	}
	if a.Began != l.last.Began { // what this member did before isn't counted there either
		l.own = [2]int64{}
	}
	l.minuteNo = a.MinuteNo
	if c.Op == Finish && c.Sent && !c.Refused {
		l.own[0]++
	}
	l.last = a
	back := l.local != nil
	l.local, l.lastErr = nil, nil
	other := a.conflict(c)
	if other == l.told {
		other = ""
	} else if other != "" {
		l.told = other
	}
	l.mu.Unlock()
	if back {
		l.cfg.Logger.Info("the limit is shared again")
	}
	if other != "" {
		l.cfg.Logger.Warn("another limit is in force for this account, and holds here too", "in_force", other, "ours", c.Policy)
	}
}

// conflict returns the policy that is in force instead of the member's, or "".
func (a Answer) conflict(c Change) string {
	if c.Policy == "" || a.Policy == c.Policy {
		return ""
	}
	return a.Policy
}

// lose begins the member's own state, if it hasn't begun yet.
func (l *Limiter) lose(err error) *Memory {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.askAt = time.Now().Add(tryAgain)
	l.lastErr = err
	if l.local != nil {
		return l.local
	}
	part := l.cfg.Share
	if l.last.Recent > 0 {
		// Half a request less, since the answer is often that to a success of this member.
		part = min(1, (float64(max(1, l.own[0]+l.own[1]))-0.5)/float64(l.last.Recent))
	}
	policy := l.cfg.Policy
	if p, err := ParsePolicy(l.last.Policy); l.last.Policy != "" && err == nil {
		policy = p
	}
	l.local = newLocal(policy.share(part), l.last, part)
	l.cfg.Logger.Warn("the limit can't be shared at the moment: keeping to a share of it", "error", err, "share", part)
	return l.local
}

// newLocal returns the state of a member that can't reach the shared one. a's pause and pace
// go on in it. Its buckets are empty, except those of long periods, since it isn't known how
// much the others have used.
func newLocal(p Policy, a Answer, part float64) *Memory {
	m := new(Memory)
	now := m.record.clock(wallClock())
	m.record.adopt(p.Change(Wait), now)
	for i, rule := range m.record.Rules {
		if rule.Period <= milliseconds(time.Hour) {
			m.record.Full[i] = now + rule.Period
		}
	}
	m.record.Pace, m.record.PausedAt, m.record.Paused = a.Pace/part, now, now+a.Paused
	m.record.HeadAt = m.record.Paused
	return m
}
