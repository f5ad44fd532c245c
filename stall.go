package shsession

import (
	"errors"
	"time"
)

// A stall tells for how long one and the same holder has had a store's lock, by looking
// at it now and then. A lock that changes hands shows that its holders are at work: the
// service is in trouble, and not they.
type stall struct {
	holder string
	since  time.Time // zero before the first look
}

// note takes TryLock's error.
func (st *stall) note(err error) {
	var locked *LockedError
	holder := ""
	if errors.As(err, &locked) {
		holder = locked.Holder
	}
	if st.since.IsZero() || holder != st.holder {
		st.holder, st.since = holder, time.Now()
	}
}

// lasts returns how long it has been since the holder was first seen.
func (st *stall) lasts() time.Duration {
	if st.since.IsZero() {
		return 0
	}
	return time.Since(st.since)
}
