package ratelimit

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// DefaultLease is how long a dead process keeps its slots.
	DefaultLease = 10 * time.Second

	// stateTimeout bounds what a step waits for the state.
	stateTimeout = time.Second

	// tryAgain is how long after a failure the state is asked again.
	tryAgain = 2 * time.Second

	// noRetryAfter is the pause after a 429 without Retry-After, as in the Python package.
	noRetryAfter = 30 * time.Second
)

// Config configures a Limiter. The zero Config is a limiter that learns, for one process.
type Config struct {
	Policy Policy

	// State is the state that the members share. nil means that the Limiter is alone.
	State State

	// Share is the part of the limit that this member uses while the state can't be reached,
	// if it has never been reached: 0 means a quarter. After the state has been reached once,
	// the part is the member's part of all requests of the last two minutes.
	Share float64

	// Lease is how long a slot stays taken after its holder has died. 0 means
	// DefaultLease. A holder renews its lease three times in that time.
	Lease time.Duration

	// MaxWait is how long a request is held before it is sent anyway. 0 means that a request
	// is held until the limit allows it or its context ends.
	MaxWait time.Duration

	// RetryAfterUnit is the unit of a number in Retry-After. 0 means milliseconds for the
	// hosts of Sentinel Hub and the Copernicus Data Space, and seconds for others.
	RetryAfterUnit time.Duration

	// Logger gets a record when the state can't be reached, and when it can again. nil means
	// slog.Default().
	Logger *slog.Logger
}

// A Limiter makes one account's requests wait until the account's limits allow them. New
// makes one. Several goroutines may call its methods at once.
type Limiter struct {
	cfg    Config
	shared State
	means  means
	done   context.Context // ends with Close
	stop   context.CancelFunc
	work   sync.WaitGroup // steps in the background

	mu       sync.Mutex // guards the fields below
	local    *Memory    // while the shared state can't be reached, else nil
	askAt    time.Time  // when the shared state is asked again
	lastErr  error      // why the shared state can't be reached
	last     Answer     // of the shared state
	minuteNo int64      // of that answer
	own      [2]int64   // successes of this member in that minute and the one before
	told     string     // the other policy that was logged
	closed   bool
	stats    stats
}

type stats struct {
	waiting, requests, refused int64
	waited                     time.Duration
}

// New returns a Limiter. It doesn't use the state yet. The error says what is wrong with the
// Config. Close the Limiter in the end.
func New(cfg Config) (*Limiter, error) {
	if err := cfg.Policy.Validate(); err != nil {
		return nil, err
	}
	if cfg.Share < 0 || cfg.Share > 1 || cfg.Lease < 0 || cfg.MaxWait < 0 || cfg.RetryAfterUnit < 0 {
		return nil, errors.New("the share is not between 0 and 1, or a duration is negative")
	}
	if cfg.Share == 0 {
		cfg.Share = 0.25
	}
	if cfg.Lease == 0 {
		cfg.Lease = DefaultLease
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.State == nil {
		cfg.State = new(Memory)
	}
	l := &Limiter{cfg: cfg, shared: cfg.State}
	l.done, l.stop = context.WithCancel(context.Background())
	return l, nil
}

// Close ends the Limiter's work in the background. It waits until the outcomes of the last
// requests are in the state, a second at most. Reserve still works after Close.
func (l *Limiter) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.stop()
	l.work.Wait()
	return nil
}

// A Reservation is one request that may be sent. Call Done in the end.
type Reservation struct {
	limiter *Limiter
	home    home
	change  Change
	once    sync.Once
	next    Ticket // for the same request, if it was refused
	renewal func() // ends the renewal of the slot's lease
}

// Reserve counts a request that costs so many units, and blocks until it may be sent. The
// first reservation goes first. The only error is ctx's cause. While the state can't be
// reached, the member keeps to its share of the limit by itself.
func (l *Limiter) Reserve(ctx context.Context, units float64) (*Reservation, error) {
	return l.reserve(ctx, units, time.Now(), Ticket{})
}

// reserve is Reserve for a request that has been held since start. A refused request has a
// ticket.
func (l *Limiter) reserve(ctx context.Context, units float64, start time.Time, t Ticket) (*Reservation, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	l.note(func(s *stats) { s.waiting++ })
	began := time.Now()
	defer l.note(func(s *stats) { s.waiting--; s.waited += time.Since(began) })
	c := l.change(Reserve)
	c.ID, c.Units, c.Ticket = rand.Text(), l.clip(units), t
	r := &Reservation{limiter: l, change: c}
	for {
		a, at, err := l.step(ctx, r.change, r.home)
		if r.home = at; err != nil {
			r.cancel()
			return nil, err
		}
		r.change.Ticket = a.Ticket
		if a.Go || l.overdue(start) {
			r.change.Op = Renew
			r.keep()
			return r, nil
		}
		r.change.Op = Wait
		wait := time.Duration(a.Wait * float64(time.Millisecond))
		if l.cfg.MaxWait > 0 {
			wait = min(wait, l.cfg.MaxWait-time.Since(start))
		}
		if err := sleep(ctx, wait); err != nil {
			r.cancel()
			return nil, err
		}
	}
}

// overdue reports whether a request is held for too long.
func (l *Limiter) overdue(start time.Time) bool {
	return l.cfg.MaxWait > 0 && time.Since(start) >= l.cfg.MaxWait
}

// later runs a step in the background.
func (l *Limiter) later(f func()) {
	l.mu.Lock()
	closed := l.closed
	if !closed {
		l.work.Go(f)
	}
	l.mu.Unlock()
	if closed {
		f()
	}
}

// clip returns a number of units that the policy can let through.
func (l *Limiter) clip(units float64) float64 {
	if !(units > 0) { // NaN too
		return 0
	}
	return min(units, l.cfg.Policy.maxUnits(), 1e12)
}

func (l *Limiter) change(op Op) Change {
	c := l.cfg.Policy.Change(op)
	c.Lease, c.Month = milliseconds(l.cfg.Lease), month()
	return c
}

// Change returns a change by a member that has this policy. It is for tests of a State.
func (p Policy) Change(op Op) Change {
	c := Change{Op: op, Policy: p.text(), Slots: p.Concurrent, Rules: make([]Rule, len(p.Limits))}
	for i, limit := range p.Limits {
		c.Rules[i] = Rule{limit.Amount, milliseconds(limit.Per), limit.Unit == ProcessingUnits}
	}
	return c
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sleep waits for a time within ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (l *Limiter) note(change func(*stats)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(&l.stats)
}

// keep renews the lease of the slot until Done.
func (r *Reservation) keep() {
	l := r.limiter
	if !l.hasSlots() {
		return
	}
	ctx, cancel := context.WithCancel(l.done)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for sleep(ctx, l.cfg.Lease/3) == nil {
			bounded, done := context.WithTimeout(ctx, stateTimeout)
			_, _, _ = l.step(bounded, r.change, r.home)
			done()
		}
	}()
	r.renewal = func() {
		cancel()
		<-ended
	}
}

// hasSlots reports whether the policy in force limits the requests at a time.
func (l *Limiter) hasSlots() bool {
	if l.cfg.Policy.Concurrent > 0 {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.InUse > 0
}

// cancel takes back a reservation that wasn't used, in the background.
func (r *Reservation) cancel() {
	if r.home.made {
		r.limiter.later(func() { r.finish(func(*Change) {}) })
	}
}

// An Outcome is the result of a request.
type Outcome struct {
	Status     int           // of the answer, 0 without an answer
	RetryAfter time.Duration // of a 429; negative if the answer has none
	Units      float64       // the units that the service charged; negative if unknown
}

// Done reports the outcome of the request and frees its slot. It blocks until the outcome is
// in the state, a second at most. Only the first call has an effect.
func (r *Reservation) Done(o Outcome) {
	r.once.Do(func() {
		refused := o.Status == 429
		r.limiter.note(func(s *stats) {
			s.requests++
			if refused {
				s.refused++
			}
		})
		if o.RetryAfter < 0 {
			o.RetryAfter = noRetryAfter
		}
		r.finish(func(c *Change) {
			c.Sent, c.Refused, c.Pause, c.Spent = true, refused, milliseconds(o.RetryAfter), c.Units
			if o.Units >= 0 {
				c.Spent = o.Units
			}
		})
	})
}

// finish makes the last step, which isn't bound by the request's context.
func (r *Reservation) finish(how func(*Change)) {
	if r.renewal != nil {
		r.renewal()
	}
	c := r.change
	c.Op = Finish
	how(&c)
	a, _, _ := r.limiter.step(context.Background(), c, r.home)
	r.next = a.Ticket
}
