package ratelimit_test

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// A relearning is a service that serves 300 a minute, and members who had learned a pace.
type relearning struct {
	members int
	pace    time.Duration // that they had learned
	outage  time.Duration // for so long, the service refuses everything and says: again in a second
	within  time.Duration // the time that they have to learn the right one
}

func (r relearning) String() string {
	return fmt.Sprintf("%d members, pace %v, outage %v", r.members, r.pace, r.outage)
}

// run returns how many requests a minute the service serves when that time has passed.
func (r relearning) run(t *testing.T) (rate float64) {
	const measured = 10 * time.Minute
	policy, _ := ratelimit.ParsePolicy("300/min")
	s := newService(policy, takes)
	state := new(ratelimit.Memory)
	known := ratelimit.Change{Op: ratelimit.Reserve, KnownPace: float64(r.pace.Milliseconds())}
	if _, err := state.Step(t.Context(), known); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	var served atomic.Int64
	service := roundTripper(func(req *http.Request) (*http.Response, error) {
		if time.Since(start) < r.outage {
			resp := answerTo(req)
			resp.StatusCode = http.StatusTooManyRequests
			resp.Header.Set("Retry-After", "1000")
			return resp, nil
		}
		resp, err := s.RoundTrip(req)
		if err == nil && resp.StatusCode == http.StatusOK && time.Since(start) > r.within {
			served.Add(1)
		}
		return resp, err
	})
	var all sync.WaitGroup
	for range r.members {
		l, err := ratelimit.New(ratelimit.Config{State: state, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		transport := ratelimit.Transport(service, l)
		all.Go(func() {
			for time.Since(start) < r.within+measured {
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://services.sentinel-hub.com/api/v1/process", nil)
				if _, err := transport.RoundTrip(req); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	time.Sleep(r.within + measured)
	rate = float64(served.Load()) / measured.Minutes()
	all.Wait()
	return rate
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Members that have learned too low a rate find the right one again: five times too low in a
// minute, the lowest there is, 300 times too low, in twenty. It doesn't matter how many wait,
// and how long they meant to sleep. A service that refuses everything for a time teaches
// nothing about the rate.
func TestARateThatIsTooLowRecovers(t *testing.T) {
	t.Parallel()
	for _, r := range []relearning{
		{members: 20, pace: time.Second, within: time.Minute},
		{members: 500, pace: time.Second, within: time.Minute},
		{members: 20, pace: time.Minute, within: 20 * time.Minute},
		{members: 500, pace: time.Minute, within: 20 * time.Minute},
		{members: 20, pace: 200 * time.Millisecond, outage: 5 * time.Minute, within: 6 * time.Minute},
		{members: 500, pace: 200 * time.Millisecond, outage: 5 * time.Minute, within: 6 * time.Minute},
	} {
		t.Run(r.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if rate := r.run(t); rate < 0.97*300 {
					t.Errorf("the service serves %.0f requests a minute, want the 300 that it allows", rate)
				} else {
					t.Logf("the service serves %.1f requests a minute", rate)
				}
			})
		})
	}
}
