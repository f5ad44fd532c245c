package ratelimit_test

import (
	"bytes"
	"context"
	"io"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// A service is the Python package's model of Sentinel Hub (sentinelhub.download.rate_limit,
// in its tests DummyService): a bucket for each limit, which fills up continuously. A
// request that a bucket has too little for is refused at once and costs nothing.
type service struct {
	policy ratelimit.Policy
	takes  time.Duration // a request that isn't refused

	mu       sync.Mutex // guards the fields below
	levels   []float64
	at       time.Time
	served   int
	refused  int
	together int // at this moment
	most     int // at any
}

func newService(p ratelimit.Policy, takes time.Duration) *service {
	s := &service{policy: p, takes: takes, at: time.Now()}
	for _, l := range p.Limits {
		s.levels = append(s.levels, l.Amount)
	}
	return s
}

// take returns how long to wait if a request can't be served.
func (s *service) take() (wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	const cost = 1 // of a request, in requests and in processing units
	for i, l := range s.policy.Limits {
		s.levels[i] = min(l.Amount, s.levels[i]+l.Amount*now.Sub(s.at).Seconds()/l.Per.Seconds())
		if lack := cost - s.levels[i]; lack > 1e-9 {
			wait = max(wait, time.Duration(math.Ceil(lack*float64(l.Per)/l.Amount)))
		}
	}
	s.at = now
	if wait > 0 || s.policy.Concurrent > 0 && s.together >= s.policy.Concurrent {
		s.refused++
		return max(wait, time.Millisecond)
	}
	for i := range s.levels {
		s.levels[i] -= cost
	}
	s.served++
	s.together++
	s.most = max(s.most, s.together)
	return 0
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	resp := answerTo(r)
	if wait := s.take(); wait > 0 {
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", strconv.FormatInt(int64(math.Ceil(float64(wait)/float64(time.Millisecond))), 10))
		return resp, nil
	}
	return s.serve(r, resp)
}

// serve answers a request that was taken.
func (s *service) serve(r *http.Request, resp *http.Response) (*http.Response, error) {
	resp.Header.Set(ratelimit.SpentHeader, "1")
	err := pause(r.Context(), s.takes)
	s.mu.Lock()
	s.together--
	s.mu.Unlock()
	return resp, err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func answerTo(r *http.Request) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Request: r, Body: io.NopCloser(&bytes.Reader{})}
}
