package ratelimit_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

const (
	simulated = 3000            // requests of one unit
	takes     = 2 * time.Second // each
)

// idealTime is what a perfect limiter needs: the first 300 at once, five a second, and the last one's two.
const idealTime = (simulated-300)/5*time.Second + takes

// A run is what a simulation came to.
type run struct {
	refused float64 // for each success
	time    float64 // of the ideal
	busiest float64 // of the least busy member
}

func (r run) String() string {
	return fmt.Sprintf("%.2f refusals a success, %.3f of the ideal time, busiest %.2f of the least busy", r.refused, r.time, r.busiest)
}

// simulate lets members work off the requests. Each has a client of its own.
func simulate(t *testing.T, members int, client func(s *service, member int) http.RoundTripper) (result run) {
	synctest.Test(t, func(t *testing.T) {
		policy, _ := ratelimit.Preset("cdse-free")
		s := newService(policy, takes)
		work := make(chan int, simulated)
		for i := range simulated {
			work <- i
		}
		close(work)
		done := make([]int, members)
		start := time.Now()
		var all sync.WaitGroup
		for m := range members {
			transport := client(s, m)
			all.Go(func() {
				for range work {
					r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://services.sentinel-hub.com/api/v1/process", nil)
					resp, err := transport.RoundTrip(r)
					if err != nil || resp.StatusCode != http.StatusOK {
						t.Errorf("member %d: %v", m, err)
						return
					}
					resp.Body.Close()
					done[m]++
				}
			})
		}
		all.Wait()
		result = run{
			refused: float64(s.refused) / float64(s.served),
			time:    float64(time.Since(start)) / float64(idealTime),
			busiest: float64(slices.Max(done)) / float64(slices.Min(done)),
		}
	})
	return result
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// limited returns clients that share a state in memory, each with a limiter of its own.
func limited(t *testing.T, policy ratelimit.Policy) func(*service, int) http.RoundTripper {
	state := new(ratelimit.Memory)
	return func(s *service, _ int) http.RoundTripper {
		l, err := ratelimit.New(ratelimit.Config{Policy: policy, State: state, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		return ratelimit.Transport(s, l)
	}
}

func TestMembersShareTheFreeTier(t *testing.T) {
	t.Parallel()
	free, _ := ratelimit.Preset("cdse-free")
	for _, members := range []int{20, 100, 500} {
		t.Run(strconv.Itoa(members), func(t *testing.T) {
			known := simulate(t, members, limited(t, free))
			learned := simulate(t, members, limited(t, ratelimit.Policy{}))
			paused := simulate(t, members, pausingClients())
			t.Logf("limits known: %v", known)
			t.Logf("learning:     %v", learned)
			t.Logf("one pause:    %v", paused)
			if members < 500 || os.Getenv("SHSESSION_SOAK") != "" { // 500 make a million requests
				t.Logf("the package:  %v", simulate(t, members, pythonClient))
			}
			check(t, "with the limits known", known, 0.02)
			check(t, "learning", learned, 1)
			if learned.refused > paused.refused/2 {
				t.Errorf("a learned rate has %.2f refusals a success, a shared pause without one %.2f", learned.refused, paused.refused)
			}
		})
	}
}

func check(t *testing.T, how string, r run, refused float64) {
	t.Helper()
	if r.refused > refused || r.time > 1.05 || r.busiest > 2 {
		t.Errorf("%s: %v", how, r)
	}
}

// pythonClient is the Python package's own limiter, as each process has one:
// sentinelhub.download.rate_limit.SentinelHubRateLimit and its download client's loop.
func pythonClient(s *service, _ int) http.RoundTripper {
	return &pythonLimiter{service: s, next: time.Now()}
}

type pythonLimiter struct {
	service *service
	next    time.Time // next_download_time
}

const pythonWait = 50 * time.Millisecond // minimum_wait_time of one process

func (p *pythonLimiter) RoundTrip(r *http.Request) (*http.Response, error) {
	for {
		if wait := time.Until(p.next); wait > 0 { // register_next
			if err := pause(r.Context(), wait); err != nil {
				return nil, err
			}
			continue
		}
		p.next = time.Now().Add(pythonWait)
		wait := p.service.take()
		if wait == 0 {
			return p.service.serve(r, answerTo(r))
		}
		// Update: Retry-After is in whole milliseconds.
		if at := time.Now().Add((wait + time.Millisecond - 1).Truncate(time.Millisecond)); at.After(p.next) {
			p.next = at
		}
	}
}

// pausingClients share nothing but a pause after each refusal: what the learned rate has to
// be better than.
func pausingClients() func(*service, int) http.RoundTripper {
	shared := new(pauser)
	return func(s *service, _ int) http.RoundTripper { return &pausing{s, shared} }
}

type pauser struct {
	mu    sync.Mutex // guards until
	until time.Time
}

// left returns how long the pause lasts, at least as long as wait from now on.
func (p *pauser) left(wait time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(wait); until.After(p.until) {
		p.until = until
	}
	return time.Until(p.until)
}

type pausing struct {
	service *service
	pauser  *pauser
}

func (p *pausing) RoundTrip(r *http.Request) (*http.Response, error) {
	for wait := p.pauser.left(0); ; wait = p.pauser.left(0) {
		if wait > 0 {
			if err := pause(r.Context(), wait); err != nil {
				return nil, err
			}
			continue
		}
		if wait = p.service.take(); wait == 0 {
			return p.service.serve(r, answerTo(r))
		}
		p.pauser.left(wait)
	}
}
