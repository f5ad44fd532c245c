package testkit

import (
	"testing"
	"time"
)

// Steady runs what depends on real time, such as a program with tokens that live for seconds. If it fails while this
// machine stands still for a second or more, it is run again, twice at most. Steady returns the last run's error.
func Steady(t *testing.T, run func() error) error {
	t.Helper()
	for try := 1; ; try++ {
		stop, longest := make(chan struct{}), make(chan time.Duration)
		go func() { longest <- longestPause(stop) }()
		err := run()
		close(stop)
		pause := <-longest
		if err == nil || pause < time.Second || try == 3 {
			return err
		}
		t.Logf("the machine stood still for %v", pause)
		<-time.After(time.Second) // until what was late has been done
	}
}

// longestPause returns for how long, at most, this process was kept from running before stop is closed.
func longestPause(stop <-chan struct{}) (longest time.Duration) {
	const step = 10 * time.Millisecond
	for last := time.Now(); ; {
		select {
		case <-stop:
			return max(longest, time.Since(last)-step)
		case <-time.After(step):
			now := time.Now()
			longest, last = max(longest, now.Sub(last)-step), now
		}
	}
}
