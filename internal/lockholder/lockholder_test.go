package lockholder_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/internal/lockholder"
)

const (
	turn    = 50 * time.Second
	longest = 20 * time.Second
)

// stuckAfter observes a lock, each second, until its holder counts as stuck. It returns how long
// that took, or a time of more than five minutes.
func stuckAfter(holder func(second int) string, token func(second int) int) time.Duration {
	var o lockholder.Observed[int]
	begin := time.Now()
	for second := 0; second <= 300; second++ {
		o.Observe(holder(second), token(second), longest)
		if o.Stuck(turn) {
			break
		}
		time.Sleep(time.Second)
	}
	return time.Since(begin)
}

func same(int) string { return "a" }
func one(int) int     { return 1 }

// A holder that stays the same is stuck after a turn and some patience.
func TestStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			if took := stuckAfter(same, one); took < turn || took > turn+longest+time.Second {
				t.Errorf("stuck after %v", took)
			}
		}
	})
}

// Holders that change are at work, for as long as they change.
func TestAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if took := stuckAfter(func(second int) string { return string(rune('a' + second/30)) }, one); took <= 300*time.Second {
			t.Errorf("stuck after %v", took)
		}
	})
}

// A holder that has long been there gets some patience from whoever begins to need another
// token.
func TestNeedBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o lockholder.Observed[int]
		o.Observe("a", 1, longest)
		time.Sleep(10 * time.Minute)
		for need := 2; need < 102; need++ {
			o.Observe("a", need, longest)
			if o.Stuck(turn) {
				t.Error("stuck at once")
			}
			time.Sleep(longest + time.Second)
			o.Observe("a", need, longest)
			if !o.Stuck(turn) {
				t.Error("not stuck after all patience")
			}
		}
		if held := o.HeldFor(); held < 10*time.Minute+100*longest {
			t.Errorf("held for %v", held)
		}
	})
}

// Of many observers, few lose patience before the others can find the token of the first.
func TestFewLosePatienceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const observers = 20000
		all := make([]lockholder.Observed[int], observers)
		for i := range all {
			all[i].Observe("a", 1, longest)
		}
		time.Sleep(turn)
		for {
			time.Sleep(100 * time.Millisecond)
			first := 0
			for i := range all {
				if all[i].Stuck(turn) {
					first++
				}
			}
			if first > 10 {
				t.Errorf("%d of %d observers lost patience within 100 ms", first, observers)
			}
			if first > 0 {
				return
			}
		}
	})
}
