package apiproxy

import "sync/atomic"

// An outage counts failures in a row, so that only the first is logged, and not the hundreds of
// a map in a browser. The zero outage is ready to use.
type outage struct{ failures atomic.Int64 }

// begins counts a failure, and reports whether it is the first.
func (o *outage) begins() bool { return o.failures.Add(1) == 1 }

// ends returns how many failures there were since it was last called.
func (o *outage) ends() int64 {
	if o.failures.Load() == 0 { // as for nearly every request, without a write
		return 0
	}
	return o.failures.Swap(0)
}
