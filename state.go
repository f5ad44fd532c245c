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

// newer reports whether t expires after u. Of two tokens that expire at the same moment one
// is newer by its text, so that all sharers of an account keep the same one.
func newer(t, u Token) bool {
	if t.ExpiresAt().Equal(u.ExpiresAt()) {
		return t.AccessToken() > u.AccessToken()
	}
	return t.ExpiresAt().After(u.ExpiresAt())
}

// A cachedToken is a session's token and the Unix times, in nanoseconds, that its states
// begin at. It is immutable.
type cachedToken struct {
	token     Token
	staleAt   int64 // fresh before this; 0 once the server refused the token
	expiredAt int64
	since     time.Time // when it was installed
}

// cached works out when t's states begin. The window before expiry is capped at half of
// the token's life, or short-lived tokens would be stale from birth.
func (s *Session) cached(t Token) *cachedToken {
	life := lifeOf(t)
	window := max(0, min(s.cfg.RefreshBeforeExpiry, life/2))
	if s.windowJitter < 1 {
		window = time.Duration(float64(window) * (s.windowJitter + rand.Float64()*(1-s.windowJitter)/2))
	}
	end := unixNano(t.ExpiresAt().Add(-margin(life)))
	return &cachedToken{
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
func (c *cachedToken) remaining(now int64) time.Duration {
	if c.token.IsZero() {
		return 0
	}
	return time.Duration(unixNano(c.token.ExpiresAt()) - now)
}

// valid reports whether the token may be used at a Unix time in nanoseconds.
func (c *cachedToken) valid(now int64) bool { return now < c.expiredAt }

// rejected reports whether the server refused the token.
func (c *cachedToken) rejected() bool { return c.staleAt == 0 && !c.token.IsZero() }

func (c *cachedToken) state(now int64) State {
	switch {
	case c.token.IsZero():
		return NoToken
	case now < c.staleAt:
		return Fresh
	case now < c.expiredAt:
		return Stale
	}
	return Expired
}
