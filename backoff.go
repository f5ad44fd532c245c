package shsession

import (
	"errors"
	"time"

	exponential "github.com/cenkalti/backoff/v5"

	"github.com/shsession/shsession/internal/delay"
)

// maxWait is the longest wait between two attempts, but for a refusal that others noted.
const maxWait = time.Minute

// newWaits returns the waits between attempts: RetryWait, three times that, nine times, up
// to maxWait, with jitter, as in the Python package.
func (s *Session) newWaits() *exponential.ExponentialBackOff {
	return &exponential.ExponentialBackOff{
		InitialInterval:     max(s.cfg.RetryWait, time.Millisecond),
		Multiplier:          3,
		MaxInterval:         maxWait,
		RandomizationFactor: delay.JitterPart,
	}
}

// A backoff says when the next refresh may start, so that failures can't turn into a loop
// of logins, and when a failing store may be read again. Its zero value lets both be done at
// once.
type backoff struct {
	nextAttempt time.Time
	err         error // why the last refresh failed, or nil
	waits       *exponential.ExponentialBackOff
	rejects     int // tokens that were refused soon after they were issued, in a row

	nextRead      time.Time // no earlier is the store read
	storeFailures int       // of the store, in a row
}

// readStore takes what a store answered. While the store fails, the pauses before it is read
// again grow from 20 ms to 750 ms. With the jitter a pause stays below a second, so that
// callers soon find that the store works again.
func (b *backoff) readStore(err error) {
	if !isStoreError(err) {
		b.nextRead, b.storeFailures = time.Time{}, 0
		return
	}
	b.nextRead = time.Now().Add(delay.Jitter(delay.Doubled(20*time.Millisecond, b.storeFailures, 750*time.Millisecond)))
	b.storeFailures++
}

// succeeded lets the next refresh start at once, unless tokens keep being refused.
func (b *backoff) succeeded() {
	b.readStore(nil)
	b.err, b.waits = nil, nil
	if b.rejects < 2 {
		b.nextAttempt = time.Time{}
	}
}

// failed makes the next refresh wait. remaining is the life left to the token there is: a
// store is read again more often as the end comes nearer, since that costs no login.
func (b *backoff) failed(err error, remaining time.Duration, newWaits func() *exponential.ExponentialBackOff) {
	if errors.Is(err, errNothingNew) && remaining > 0 {
		err = nil
	}
	b.err = err
	b.readStore(err)
	var endpoint *EndpointError
	var noted *notedError
	wait := max(delay.Jitter(delay.PollInterval(remaining)), time.Until(b.nextRead))
	switch {
	case errors.As(err, &noted):
		wait = delay.Jitter(min(noted.note.Remaining(), maxWait)) // to ask again costs no login
	case b.permanent():
		wait = delay.Jitter(maxWait)
	case errors.Is(err, errSameToken) && remaining > 0: // there will be another when that has ended
		wait = min(remaining, maxWait)
	case errors.As(err, &endpoint):
		if b.waits == nil {
			b.waits = newWaits()
		}
		wait = max(b.waits.NextBackOff(), endpoint.RetryAfter)
	}
	b.nextAttempt = time.Now().Add(wait)
}

// permanent reports whether the same request would be refused again.
func (b *backoff) permanent() bool { return isPermanent(b.err) }

// isPermanent reports whether the request that failed with err would be refused again.
func isPermanent(err error) bool {
	var auth *AuthError
	var endpoint *EndpointError
	return errors.As(err, &auth) || errors.As(err, &endpoint) && endpoint.Permanent
}

// discarded notes that a token of that age and life is to be replaced early. The first young
// token is replaced at once. Every further one in a row is replaced after a wait that
// doubles, up to half of a token's life. A token is young until the age young, half of its
// life at most. The wait ends with the life that is left to the token.
func (b *backoff) discarded(age, life, young, left time.Duration) {
	if life <= 0 {
		life = 2 * maxWait
	}
	if age >= min(young, life/2) {
		b.rejects = 0
	}
	b.rejects++
	if b.rejects > 1 {
		wait := delay.Doubled(DefaultRetryWait, b.rejects-2, life/2)
		if next := time.Now().Add(min(delay.Jitter(wait), left)); next.After(b.nextAttempt) {
			b.nextAttempt = next
		}
	}
}
