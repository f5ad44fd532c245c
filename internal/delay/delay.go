// Package delay has the arithmetic of waits between attempts: how they grow, and how they differ
// between processes that begin to wait at once.
package delay

import (
	"math/rand/v2"
	"time"
)

// JitterPart is how far a wait may differ from its nominal length, as a part of it.
const JitterPart = 0.2

// Jitter varies d by JitterPart.
func Jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 - JitterPart + 2*JitterPart*rand.Float64()))
}

// Doubled returns a wait that is first to begin with, after so many doublings: limit at most,
// and 1024 times first at most.
func Doubled(first time.Duration, doublings int, limit time.Duration) time.Duration {
	return min(first<<min(max(doublings, 0), 10), limit)
}

// PollInterval returns how soon to read a store again that works, and whose token isn't fresh.
// remaining is the life left to the token there is.
func PollInterval(remaining time.Duration) time.Duration {
	if remaining <= 0 {
		return 500 * time.Millisecond
	}
	return min(max(remaining/8, 20*time.Millisecond), 10*time.Second)
}
