// Package retryafter reads the Retry-After header of an HTTP answer.
package retryafter

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Parse reads an answer's Retry-After header (RFC 9110 section 10.2.3): seconds, or an HTTP
// date, which is compared with the answer's own Date, since the server's clock may be another
// than ours, or with now if there is none. It returns 0 if there is nothing to wait for or
// to understand.
func Parse(header http.Header, now time.Time) time.Duration {
	wait, _ := ParseUnit(header, time.Second, now)
	return wait
}

// ParseUnit is Parse for a server whose numbers count another unit than seconds. It is
// false if there is nothing that can be understood; a negative number can't.
func ParseUnit(header http.Header, unit time.Duration, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if n, err := strconv.ParseFloat(value, 64); err == nil {
		if !(n >= 0) { // NaN too
			return 0, false
		}
		return time.Duration(min(n, 1e9) * float64(unit)), true
	}
	if date, err := http.ParseTime(value); err == nil {
		if server, err := http.ParseTime(header.Get("Date")); err == nil {
			now = server
		}
		return max(0, date.Sub(now)), true
	}
	return 0, false
}
