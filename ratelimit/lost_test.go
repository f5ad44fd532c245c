package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// A flaky state can't be reached while down is set.
type flaky struct {
	ratelimit.State
	down  atomic.Bool
	hangs bool // rather than fail at once
}

func (f *flaky) Step(ctx context.Context, c ratelimit.Change) (ratelimit.Answer, error) {
	if !f.down.Load() {
		return f.State.Step(ctx, c)
	}
	if f.hangs {
		<-ctx.Done()
	}
	return ratelimit.Answer{}, errors.New("no such place")
}

// While the state is gone, the members keep to the limit by themselves. When it is back,
// with its memory or without, there is no burst.
func TestStateGoneAndBack(t *testing.T) {
	t.Parallel()
	for _, forgets := range []bool{false, true} {
		for _, hangs := range []bool{false, true} {
			t.Run(fmt.Sprintf("forgets=%v,hangs=%v", forgets, hangs), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testGoneAndBack(t, forgets, hangs) })
			})
		}
	}
}

func testGoneAndBack(t *testing.T, forgets, hangs bool) {
	const members = 10
	p := policy(t, "300/min")
	s := newService(p, 100*time.Millisecond)
	state := &flaky{State: new(ratelimit.Memory), hangs: hangs}
	ctx, cancel := context.WithCancel(t.Context())
	var limiters []*ratelimit.Limiter
	var all sync.WaitGroup
	for range members {
		l := newLimiter(t, ratelimit.Config{Policy: p, State: state, RetryAfterUnit: time.Millisecond})
		limiters = append(limiters, l)
		transport := ratelimit.Transport(s, l)
		all.Go(func() {
			for {
				r, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://example.org/", nil)
				resp, err := transport.RoundTrip(r)
				if err != nil {
					if ctx.Err() == nil {
						t.Error(err)
					}
					return
				}
				resp.Body.Close()
			}
		})
	}
	phase := func(d time.Duration) (served, refused int) {
		s.mu.Lock()
		served, refused = s.served, s.refused
		s.mu.Unlock()
		time.Sleep(d)
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.served - served, s.refused - refused
	}
	phase(2 * time.Minute)
	for _, minutes := range []float64{3, 0.4, 3} { // gone, and then as long back
		for _, gone := range []bool{true, false} {
			if !gone && forgets {
				state.State = new(ratelimit.Memory)
			}
			state.down.Store(gone)
			served, refused := phase(time.Duration(minutes * float64(time.Minute)))
			if float64(served) < 180*minutes || float64(served) > 300*minutes+20 || refused > served/5 { // the shares aren't exactly one together
				t.Errorf("%v minutes, gone %v: %d served, %d refused; the limit is %v", minutes, gone, served, refused, 300*minutes)
			}
			if err := limiters[0].Status().Alone; (err != nil) != gone {
				t.Errorf("the status says %v", err)
			}
		}
	}
	cancel()
	all.Wait()
}

// A member that never reached the state goes by itself, and waits no longer for that than its context.
func TestStateNeverThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state := &flaky{State: new(ratelimit.Memory), hangs: true}
		state.down.Store(true)
		l := newLimiter(t, ratelimit.Config{Policy: policy(t, "40/min,4"), State: state})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		start := time.Now()
		if _, err := l.Reserve(ctx, 0); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 100*time.Millisecond {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		for range 10 {
			reserve(t, l, 0).Done(success)
		}
		if took := time.Since(start); took < 50*time.Second || took > 90*time.Second {
			t.Errorf("ten requests at a quarter of 40 a minute took %v, want a minute", took)
		}
	})
}
