package ratelimit

import (
	"context"
	"time"
)

// A Status describes a Limiter at one moment.
type Status struct {
	Policy string // in force for all members, "" if no member has one
	Ours   string // this member's policy if another one is in force, else ""
	Alone  error  // why the state can't be reached, else nil

	// Of this member alone.
	Waiting  int64         // requests that wait at the moment
	Waited   time.Duration // the sum of all requests' waits
	Requests int64         // requests that were sent
	Refused  int64         // requests that were answered 429

	// Of all members, from the state's last answer.
	Minute, Month Usage
	InUse         int           // slots
	Queued        int           // requests that wait for a slot
	Wait          time.Duration // of a new request, without the wait for a slot; only from Inspect
	Paused        time.Duration // the time that is left of the pause
	Pace          time.Duration // between two requests, as learned, or 0
}

// Status returns what the Limiter knows, without asking the state.
func (l *Limiter) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.last.status()
	s.Ours = l.last.conflict(Change{Policy: l.cfg.Policy.text()})
	if s.Ours != "" {
		s.Ours = l.cfg.Policy.text()
	}
	s.Alone = l.lastErr
	s.Waiting, s.Waited, s.Requests, s.Refused = l.stats.waiting, l.stats.waited, l.stats.requests, l.stats.refused
	return s
}

// Inspect returns the Status of a state's members. It blocks until the state answers or ctx
// is done.
func Inspect(ctx context.Context, state State) (Status, error) {
	a, err := state.Step(ctx, Change{Op: Look, Month: month()})
	if err != nil {
		return Status{}, err
	}
	s := a.status()
	s.Wait = time.Duration(a.Wait * float64(time.Millisecond))
	return s, nil
}

func (a Answer) status() Status {
	return Status{
		Policy: a.Policy, Minute: a.Minute, Month: a.Month, InUse: a.InUse, Queued: a.Queued,
		Paused: time.Duration(a.Paused * float64(time.Millisecond)),
		Pace:   time.Duration(a.Pace * float64(time.Millisecond)),
	}
}

// month returns the present one as a Change says it.
func month() string { return time.Now().UTC().Format("2006-01") }
