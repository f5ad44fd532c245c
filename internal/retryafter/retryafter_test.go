package retryafter_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/retryafter"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":     0,
		"7":    7 * time.Second,
		" 1.5": 1500 * time.Millisecond,
		"-3":   0, "NaN": 0, "soon": 0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute,
		"Fri, 02 Jan 2026 03:00:00 GMT": 0,
	} {
		if got := retryafter.Parse(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %v, want %v", value, got, want)
		}
	}
}

// A date is the server's, whose clock may be another than ours.
func TestDateByTheServersClock(t *testing.T) {
	for _, ahead := range []time.Duration{0, 10 * time.Minute, -10 * time.Minute} {
		now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		header := http.Header{"Retry-After": {"Fri, 02 Jan 2026 03:05:05 GMT"}, "Date": {"Fri, 02 Jan 2026 03:04:05 GMT"}}
		if got := retryafter.Parse(header, now.Add(ahead)); got != time.Minute {
			t.Errorf("with a clock that is %v ahead: %v, want a minute", ahead, got)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"7", "1e309", "Inf", "Fri, 02 Jan 2026 03:05:05 GMT", "0x1p4"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if wait := retryafter.Parse(http.Header{"Retry-After": {value}}, time.Now()); wait < 0 {
			t.Errorf("%q: a wait of %v", value, wait)
		}
	})
}
