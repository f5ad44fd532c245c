package ratelimit

import (
	"context"
	"sync"
	"time"
)

// A State keeps how much of an account's limits is used, for all members. [Memory] is a
// State for the goroutines of a process, [File] for the processes of a machine, and
// redisstore.Store.Limits for many machines. Package limittest tests this contract.
type State interface {
	// Step applies a change and returns the answer, in one atomic step. It blocks until then
	// or until ctx is done. Times in it are in milliseconds by the state's own clock, which
	// never goes back. The members' clocks aren't used.
	Step(ctx context.Context, c Change) (Answer, error)
}

// A Keeper is a store of tokens that keeps a rate limit's state beside its token.
type Keeper interface{ Limits() State }

// StateKept is how long a Keeper keeps a state that no member uses: longer than the longest
// usual period.
const StateKept = 40 * 24 * time.Hour

// An Op is a kind of Change.
type Op string

const (
	Reserve Op = "reserve" // count a request, and ask when it may be sent
	Wait    Op = "wait"    // ask again when the request may be sent
	Renew   Op = "renew"   // keep the slot, or the place in the queue, for another lease
	Finish  Op = "finish"  // report the request's outcome, or that it wasn't sent
	Look    Op = "look"    // change nothing, and ask how long a new request would wait
)

// A Change is one step of a reservation.
type Change struct {
	Op     Op      `json:"op"`
	ID     string  `json:"id"`    // of the reservation
	Units  float64 `json:"units"` // that were reserved
	Lease  float64 `json:"lease"` // of a slot, in milliseconds
	Ticket Ticket  `json:"ticket"`

	// Limits are the member's own, none if it has no policy. If the state's members have other
	// limits, those are in force.
	Policy string `json:"policy"`
	Rules  []Rule `json:"rules"`
	Slots  int    `json:"slots"`
	Month  string `json:"month"` // the member's: 2006-01 in UTC

	// Known and KnownPace are the last Answer's Full and Pace. A state that has lost its
	// record begins the new one with them.
	Known     []float64 `json:"known"`
	KnownPace float64   `json:"known_pace"`

	// Carry is how much of each rule the member used while it couldn't reach the state.
	Carry []float64 `json:"carry"`

	// For Finish.
	Sent    bool    `json:"sent"`
	Refused bool    `json:"refused"` // by a 429
	Pause   float64 `json:"pause"`   // until the service may be asked again, in milliseconds
	Spent   float64 `json:"spent"`   // units
}

// A Rule is a Limit in milliseconds.
type Rule struct {
	Amount float64 `json:"amount,omitzero"`
	Period float64 `json:"period,omitzero"`
	Units  bool    `json:"units,omitzero"`
}

// A Ticket is a reservation's place. The member keeps it between two steps.
type Ticket struct {
	At    float64 `json:"at"`    // when the limits allow the request
	Turn  int64   `json:"turn"`  // its number among the requests that go one by one, 0 for none
	Epoch int64   `json:"epoch"` // the number of pauses before
}

// An Answer is the state's answer to a change.
type Answer struct {
	Go     bool    `json:"go"`   // the request may be sent
	Wait   float64 `json:"wait"` // or ask again after so many milliseconds
	Ticket Ticket  `json:"ticket"`

	Policy   string    `json:"policy"` // that is in force
	Began    float64   `json:"began"`  // when the state began to count: another one has forgotten what was before
	Recent   int64     `json:"recent"` // requests in this minute and the last
	MinuteNo int64     `json:"minute_no"`
	Minute   Usage     `json:"minute"`
	Month    Usage     `json:"month"`
	InUse    int       `json:"in_use"` // slots
	Queued   int       `json:"queued"` // requests that wait for a slot
	Paused   float64   `json:"paused"` // for so many more milliseconds
	Pace     float64   `json:"pace"`   // milliseconds between two requests, as learned, or 0
	Full     []float64 `json:"full"`   // when each rule's whole amount is there again
}

// A Usage is the amount that was used in a period.
type Usage struct {
	Requests int64   `json:"requests,omitzero"`
	Units    float64 `json:"units,omitzero"`
	Refused  int64   `json:"refused,omitzero"`
}

// Memory is the State of a Limiter that is alone, and of tests. The zero Memory is empty.
type Memory struct {
	mu     sync.Mutex // guards record
	record record
}

// Step implements [State]. It doesn't block.
func (m *Memory) Step(ctx context.Context, c Change) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.record.apply(c, wallClock()), nil
}

// wallClock returns this machine's time in milliseconds.
func wallClock() float64 { return float64(time.Now().UnixMicro()) / 1000 }
