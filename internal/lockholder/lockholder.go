// Package lockholder tells a slow holder of a lock from one that is stopped: by watching one
// and the same holding for a time that is measured here. No other process's clock is trusted.
package lockholder

import (
	"math"
	"math/rand/v2"
	"time"
)

// An Observed measures how long one holder has had a lock, by this process's clock. If the
// holder changes, the holders are at work. A T identifies the token that the holder is to
// replace. The zero value has observed nothing; call Observe before the other methods.
type Observed[T comparable] struct {
	holder string
	since  time.Time // when the holder was first seen

	token T             // the token to be replaced
	asked time.Time     // since when it is to be replaced
	spare time.Duration // a random time, so that few observers lose patience at once
}

// Observe takes what identifies one holding of the lock, the token to be replaced, and the
// longest time that an observer stays patient with a stopped holder.
func (o *Observed[T]) Observe(holder string, token T, longest time.Duration) {
	now := time.Now()
	if o.since.IsZero() || holder != o.holder {
		o.holder, o.since = holder, now
	}
	if token != o.token || o.asked.IsZero() {
		o.token, o.asked, o.spare = token, now, patience(longest)
	}
}

// patience returns a random time of at most longest, most often near its end. The first
// observers that lose patience log in, and the others find their token. The first are few, for
// any number of observers: this is RFC 5401's RandomBackoff.
func patience(longest time.Duration) time.Duration {
	const lambda = 10
	return time.Duration(float64(longest) / lambda * math.Log1p(rand.Float64()*math.Expm1(lambda)))
}

// HeldFor returns how long it has been since the holder was first seen.
func (o *Observed[T]) HeldFor() time.Duration { return time.Since(o.since) }

// Stuck reports whether the holder has had the lock for longer than a working process keeps it.
func (o *Observed[T]) Stuck(longestTurn time.Duration) bool {
	return min(o.HeldFor()-longestTurn, time.Since(o.asked)) > o.spare
}
