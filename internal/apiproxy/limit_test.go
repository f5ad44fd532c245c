package apiproxy_test

import (
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/ratelimit"
)

// newLimiter returns a limiter that is closed with the test.
func newLimiter(t *testing.T, policy string) *ratelimit.Limiter {
	t.Helper()
	p, err := ratelimit.ParsePolicy(policy)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ratelimit.New(ratelimit.Config{Policy: p, RetryAfterUnit: time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A request that is answered 429 is held and repeated, with its body, and the client sees
// nothing of it. The page says so.
func TestLimiterHoldsRequests(t *testing.T) {
	var mu sync.Mutex
	var bodies []string
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		mu.Lock()
		bodies = append(bodies, string(data))
		n := len(bodies)
		mu.Unlock()
		if n == 1 {
			w.Header().Set("Retry-After", "20")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.Header().Set(ratelimit.SpentHeader, "2.5")
	}}
	limiter := newLimiter(t, "300/min,300pu/min")
	r := newRig(t, up, apiproxy.Options{Limiter: limiter})
	resp, _ := r.do(t, r.request(t, "POST", "/process", strings.NewReader("body"), ratelimit.UnitsHeader+": 3"))
	wantStatus(t, resp, http.StatusOK)
	mu.Lock()
	if got := strings.Join(bodies, ","); got != "body,body" {
		t.Errorf("the upstream got %q", got)
	}
	mu.Unlock()
	limiter.Close() // which waits until the units are counted
	_, page := r.get(t, "/", "Accept: text/html")
	for _, want := range []string{"Rate limit", "300/min,300pu/min, shared by all members", "for 2 requests", "1 of this proxy", "1 requests, 2.50 processing units"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q: %s", want, page)
		}
	}
}

// The header with a request's cost is for the proxy alone, with a limiter or without.
func TestUnitsHeaderIsNotForwarded(t *testing.T) {
	for name, limiter := range map[string]*ratelimit.Limiter{"with": newLimiter(t, "auto"), "without": nil} {
		t.Run(name, func(t *testing.T) {
			up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
				if v := r.Header.Get(ratelimit.UnitsHeader); v != "" {
					t.Errorf("the upstream gets %s: %s", ratelimit.UnitsHeader, v)
				}
			}}
			r := newRig(t, up, apiproxy.Options{Limiter: limiter})
			resp, _ := r.get(t, "/x", ratelimit.UnitsHeader+": 3")
			wantStatus(t, resp, http.StatusOK)
			if _, page := r.get(t, "/", "Accept: text/html"); strings.Contains(page, "Rate limit") != (limiter != nil) {
				t.Errorf("the page is %s", page)
			}
		})
	}
}

// Without a limiter, and when repeating has no end, a 429 is the client's business as it is.
func TestRefusalIsForwarded(t *testing.T) {
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}}
	r := newRig(t, up, apiproxy.Options{Limiter: newLimiter(t, "auto")})
	resp, _ := r.get(t, "/x")
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") != "1" {
		t.Errorf("the answer is %d with %v", resp.StatusCode, resp.Header)
	}
}
