package shsession

import (
	"math"
	"math/rand/v2"
	"time"
)

// A State is what a session's token is good for.
type State int

const (
	NoToken State = iota // nothing fetched yet
	Fresh                // valid, and not due for renewal
	Stale                // valid, and due for renewal
	Expired              // in its last 10 s, or last tenth if that is less, or past them
)

func (s State) String() string {
	switch s {
	case Fresh:
		return "fresh"
	case Stale:
		return "stale"
	case Expired:
		return "expired"
	}
	return "no token"
}

// margin is the end of a token's life in which it isn't used any more, since a request
// takes time to arrive.
func margin(life time.Duration) time.Duration { return min(10*time.Second, life/10) }

// lifeOf returns t's life, or what is left of it if nothing tells.
func lifeOf(t Token) time.Duration {
	if life := t.Life(); life > 0 {
		return life
	}
	return t.Remaining()
}

// extends reports whether t is u again, with a later end: by more than the time on the way
// explains, or the life that a store measures. Some services hand out one token for as
// long as it lives.
func (t Token) extends(u Token) bool {
	if !t.Equal(u) || t.ExpiresAt().Sub(u.ExpiresAt()) <= margin(lifeOf(t)) {
		return false
	}
	claims, err := t.Claims()
	return err != nil || claims.ExpiresAt.IsZero() // one that says when it ends can't be extended
}

// entryFor works out when t's states begin. The window before expiry is capped at half of
// the token's life, or short-lived tokens would be stale from birth.
func (s *Session) entryFor(t Token) *entry {
	life := lifeOf(t)
	window := min(s.window, life/2)
	if s.early < 1 {
		window = time.Duration(float64(window) * (s.early + rand.Float64()*(1-s.early)/2))
	}
	if s.window < 0 {
		window = 0
	}
	end := unixNano(t.ExpiresAt().Add(-margin(life)))
	return &entry{
		token:     t,
		staleAt:   min(end, unixNano(t.ExpiresAt().Add(-window))),
		expiredAt: end,
		since:     time.Now(),
	}
}

// unixNano returns t as a Unix time in nanoseconds, which end in the year 2262: any later
// time, such as some tokens expire at, is the last one.
func unixNano(t time.Time) int64 {
	if t.After(time.Unix(0, math.MaxInt64)) {
		return math.MaxInt64
	}
	return t.UnixNano()
}

// remaining returns the life left at a Unix time in nanoseconds.
func (e *entry) remaining(now int64) time.Duration {
	if e.token.IsZero() {
		return 0
	}
	return time.Duration(unixNano(e.token.ExpiresAt()) - now)
}

// valid reports whether the token may be used at a Unix time in nanoseconds.
func (e *entry) valid(now int64) bool { return now < e.expiredAt }

func (e *entry) state(now int64) State {
	switch {
	case e.token.IsZero():
		return NoToken
	case now < e.staleAt:
		return Fresh
	case now < e.expiredAt:
		return Stale
	}
	return Expired
}
