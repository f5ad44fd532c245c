package testkit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/internal/testkit"
)

func TestWithin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		after := func(d time.Duration) func() bool { return func() bool { return time.Since(start) >= d } }
		if !testkit.Within(time.Minute, after(time.Second)) || time.Since(start) > 1100*time.Millisecond {
			t.Errorf("what comes after a second was seen after %v", time.Since(start))
		}
		if testkit.Within(time.Minute, after(time.Hour)) || time.Since(start) < time.Minute {
			t.Errorf("gave up after %v", time.Since(start))
		}
	})
}
