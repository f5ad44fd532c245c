package shsession

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// parseRetryAfter reads a Retry-After header (RFC 9110 section 10.2.3): seconds, or an
// HTTP date, which is compared with now. It returns 0 if there is nothing to wait for or
// to understand. The APIs' Retry-After is in milliseconds, but this is for the token
// endpoint, whose unit is not known: the standard's is taken.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if !(seconds > 0) { // NaN too
			return 0
		}
		return time.Duration(min(seconds, 1e9) * float64(time.Second))
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
