package ratelimit_test

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

func policy(t *testing.T, text string) ratelimit.Policy {
	t.Helper()
	p, err := ratelimit.ParsePolicy(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// newLimiter returns a limiter that is closed with the test.
func newLimiter(t *testing.T, cfg ratelimit.Config) *ratelimit.Limiter {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = quiet()
	}
	l, err := ratelimit.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func reserve(t *testing.T, l *ratelimit.Limiter, units float64) *ratelimit.Reservation {
	t.Helper()
	r, err := l.Reserve(t.Context(), units)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// success is what a request of one unit ends with.
var success = ratelimit.Outcome{Status: 200, Units: 1}

func TestReserveWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, ratelimit.Config{Policy: policy(t, "2/min")})
		start := time.Now()
		for range 4 {
			reserve(t, l, 1).Done(success)
		}
		if took := time.Since(start).Round(time.Second); took != time.Minute {
			t.Errorf("four requests took %v, want a minute", took)
		}
		s := l.Status()
		if s.Requests != 4 || s.Waiting != 0 || s.Waited.Round(time.Second) != time.Minute || s.Month.Requests != 4 || s.Month.Units != 4 {
			t.Errorf("the status is %+v", s)
		}
	})
}

// A caller that gives up gets its context's cause, and gives back what it had reserved.
func TestReserveWithinContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, ratelimit.Config{Policy: policy(t, "1/min,1")})
		first := reserve(t, l, 0)
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("enough"))
		defer cancel()
		start := time.Now()
		if _, err := l.Reserve(ctx, 0); err == nil || err.Error() != "enough" || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		first.Done(success)
		synctest.Wait() // for what was given back
		reserve(t, l, 0).Done(success)
		if took := time.Since(start).Round(time.Second); took != time.Minute {
			t.Errorf("the next went after %v, want a minute", took)
		}
	})
}

func TestMaxWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, ratelimit.Config{Policy: policy(t, "1/h"), MaxWait: time.Minute})
		reserve(t, l, 0).Done(success)
		start := time.Now()
		reserve(t, l, 0).Done(success)
		if took := time.Since(start); took != time.Minute {
			t.Errorf("a request was held for %v, want a minute", took)
		}
	})
}

// A slot is kept for as long as its holder lives, and a dead holder's is free after the lease.
func TestSlotsAreLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := new(ratelimit.Memory)
		slots := ratelimit.Config{Policy: policy(t, "1"), State: state}
		holder, waiter := newLimiter(t, slots), newLimiter(t, slots)
		held := reserve(t, holder, 0)
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { reserve(t, waiter, 0).Done(success) })
		time.Sleep(5 * ratelimit.DefaultLease)
		if s := waiter.Status(); s.Waiting != 1 || s.Queued != 1 || s.InUse != 1 {
			t.Errorf("while the slot is held: %+v", s)
		}
		killed := time.Now()
		holder.Close() // which ends the renewals, as the holder's death would
		wg.Wait()
		if lease := time.Since(killed); lease > ratelimit.DefaultLease+time.Second {
			t.Errorf("the slot was free %v after its holder's end, %v after the start", lease, time.Since(start))
		}
		held.Done(success)
	})
}

// What a caller says of a cost is made one that can be let through.
func TestOddCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, units := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -5, 1e300, 11} {
			l := newLimiter(t, ratelimit.Config{Policy: policy(t, "10pu/min")})
			start := time.Now()
			reserve(t, l, units).Done(ratelimit.Outcome{Status: 200, Units: -1})
			if took := time.Since(start); took > time.Second {
				t.Errorf("a cost of %v waits %v", units, took)
			}
		}
	})
}

func TestPauses(t *testing.T) {
	for name, test := range map[string]struct {
		after, want time.Duration
	}{
		"milliseconds": {1500 * time.Millisecond, 1500 * time.Millisecond},
		"none":         {0, 0},
		"not said":     {-1, 30 * time.Second},
		"a week":       {7 * 24 * time.Hour, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				state := new(ratelimit.Memory)
				one := newLimiter(t, ratelimit.Config{State: state})
				other := newLimiter(t, ratelimit.Config{State: state})
				reserve(t, one, 0).Done(ratelimit.Outcome{Status: 429, RetryAfter: test.after})
				start := time.Now()
				reserve(t, other, 0).Done(success)
				if took := time.Since(start); took < test.want || took > test.want+time.Second {
					t.Errorf("the other member waited %v, want %v and one turn", took, test.want)
				}
			})
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, text := range []string{"", "0/min", "-3/min", "300", "0", "-1", "300/fortnight", "NaN/min", "inf/min", "0.5/s", "4,4", "1/0s", "x/min", "1/min,,2/min", "0pu/month"} {
		p, err := ratelimit.ParsePolicy(text)
		if text == "300" {
			if err != nil || p.Concurrent != 300 {
				t.Errorf("%q: %v, %v", text, p, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%q is read as %v", text, p)
		} else if text == "0/min" && !strings.Contains(err.Error(), "nothing through") {
			t.Errorf("%q: %v, which doesn't say what is wrong", text, err)
		}
	}
	if _, err := ratelimit.New(ratelimit.Config{Policy: ratelimit.Policy{Limits: []ratelimit.Limit{{}}}}); err == nil {
		t.Error("a policy of zero is taken")
	}
	if _, err := ratelimit.New(ratelimit.Config{Share: 2}); err == nil {
		t.Error("a share of 2 is taken")
	}
}

func TestPolicyText(t *testing.T) {
	for text, want := range map[string]string{
		"300/min,300pu/min,4": "300/min,300pu/min,4",
		" 10/s , 5pu/hour":    "10/s,5pu/h",
		"7/90s":               "7/1m30s",
		"auto":                "auto",
		"cdse-free":           "300/min,300pu/min,10000/month,10000pu/month",
	} {
		if got := policy(t, text).String(); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
	for _, name := range ratelimit.Presets() {
		if p, ok := ratelimit.Preset(name); !ok || p.IsZero() {
			t.Errorf("preset %s is %v", name, p)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	for _, text := range []string{"300/min,300pu/min,4", "auto", "1e300/h", "7/1h30m", "cdse-free", "1pu/month", ",", "0x1p4/s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ratelimit.ParsePolicy(text)
		if err != nil {
			return
		}
		again, err := ratelimit.ParsePolicy(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q is %q, which is %q: %v", text, p, again, err)
		}
		if l, err := ratelimit.New(ratelimit.Config{Policy: p}); err != nil {
			t.Errorf("%q is read but not taken: %v", text, err)
		} else {
			l.Close()
		}
	})
}

// Of two policies for one account the first holds, and the other member says so once, until
// nobody has used the first for a minute.
func TestTwoPolicies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := new(ratelimit.Memory)
		var log strings.Builder
		first := newLimiter(t, ratelimit.Config{Policy: policy(t, "2/min"), State: state})
		second := newLimiter(t, ratelimit.Config{Policy: policy(t, "600/min"), State: state, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		reserve(t, first, 0).Done(success)
		reserve(t, second, 0).Done(success)
		start := time.Now()
		reserve(t, second, 0).Done(success)
		if took := time.Since(start).Round(time.Second); took != 30*time.Second {
			t.Errorf("the third request of two a minute waits %v, want 30s", took)
		}
		if s := second.Status(); s.Policy != "2/min" || s.Ours != "600/min" {
			t.Errorf("the second member's status says %q and ours %q", s.Policy, s.Ours)
		}
		if n := strings.Count(log.String(), "another limit is in force for this account"); n != 1 || !strings.Contains(log.String(), "in_force=2/min ours=600/min") {
			t.Errorf("it was said %d times: %s", n, log.String())
		}
		time.Sleep(time.Minute) // in which the first doesn't use it
		start = time.Now()
		for range 100 {
			reserve(t, second, 0).Done(success)
		}
		if s := second.Status(); time.Since(start) > time.Second || s.Policy != "600/min" || s.Ours != "" {
			t.Errorf("after a minute %q is in force (ours %q): a hundred requests took %v", s.Policy, s.Ours, time.Since(start))
		}
	})
}
