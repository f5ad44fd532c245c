package shsession

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// maxWait is the longest wait between two attempts.
const maxWait = time.Minute

// jitter is how far a wait may differ from its nominal length, as a part of it.
const jitter = 0.2

// newBackOff returns the waits between attempts: RetryWait, three times that, nine times,
// up to maxWait, as in the Python package, with jitter.
func (s *Session) newBackOff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     max(s.retryWait, time.Millisecond),
		Multiplier:          3,
		MaxInterval:         maxWait,
		RandomizationFactor: jitter,
	}
}

// A gate says when the next flight may start, so that failure can't turn into a loop of
// logins. Its zero value is open.
type gate struct {
	opens   time.Time
	err     error // what closed it, or nil
	waits   *backoff.ExponentialBackOff
	rejects int // tokens discarded soon after they were issued, in a row
}

// open lets the next flight start at once, unless tokens keep being refused.
func (g *gate) open() {
	g.err, g.waits = nil, nil
	if g.rejects < 2 {
		g.opens = time.Time{}
	}
}

// close makes the next flight wait. remaining is the life left to the token there is: a
// store is asked again more often as the end comes nearer, since asking costs nobody a
// login.
func (g *gate) close(err error, remaining time.Duration, newBackOff func() *backoff.ExponentialBackOff) {
	if errors.Is(err, errNothingNew) && remaining > 0 {
		err = nil
	}
	g.err = err
	var endpoint *EndpointError
	switch {
	case g.hopeless():
		g.opens = time.Now().Add(spread(maxWait))
	case errors.Is(err, errSameToken) && remaining > 0: // there will be another when that has ended
		g.opens = time.Now().Add(min(remaining, maxWait))
	case errors.As(err, &endpoint):
		if g.waits == nil {
			g.waits = newBackOff()
		}
		g.opens = time.Now().Add(max(g.waits.NextBackOff(), endpoint.RetryAfter))
	default:
		g.opens = time.Now().Add(spread(lookAgain(remaining)))
	}
}

// lookAgain returns how soon to look into a store again whose token isn't fresh.
func lookAgain(remaining time.Duration) time.Duration {
	if remaining <= 0 {
		return 500 * time.Millisecond
	}
	return min(max(remaining/8, 20*time.Millisecond), 10*time.Second)
}

// hopeless reports whether the same request would be refused again.
func (g *gate) hopeless() bool {
	var auth *AuthError
	var endpoint *EndpointError
	return errors.As(g.err, &auth) || errors.As(g.err, &endpoint) && endpoint.Permanent
}

// discarded is told that a token of that age and life is to be replaced early. The first
// young one is replaced at once, and every further one in a row only after a wait that
// doubles, up to half of a token's life. young is the age at which one isn't young any
// more, and half of a token's life at most. The wait ends when what is left of the token's
// life does: then there is nothing else to go on with.
func (g *gate) discarded(age, life, young, left time.Duration) {
	if life <= 0 {
		life = 2 * maxWait
	}
	if age >= min(young, life/2) {
		g.rejects = 0
	}
	g.rejects++
	if g.rejects > 1 {
		wait := min(DefaultRetryWait<<min(g.rejects-2, 10), life/2)
		if opens := time.Now().Add(min(spread(wait), left)); opens.After(g.opens) {
			g.opens = opens
		}
	}
}

// spread varies d by the jitter.
func spread(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - jitter + 2*jitter*rand.Float64()))
}
