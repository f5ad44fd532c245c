package identity

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// limits keep how much each client has used of Options.Limit, as the Python package's
// DummyService does: a bucket for each limit, which fills up continuously. A request for which
// one holds too little is refused, and takes nothing out of any.
type limits struct {
	policy ratelimit.Policy
	units  float64

	mu       sync.Mutex // guards byClient
	byClient map[string]*usage
}

// A usage is one client's.
type usage struct {
	levels   []float64 // what is left in each bucket
	at       time.Time // at this time
	sessions int       // requests under way
}

// begin takes what one request costs. If there isn't enough it returns the time until there
// is; if there are too many requests under way it returns false.
func (l *limits) begin(client string, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.byClient[client]
	if u == nil {
		u = &usage{at: now}
		for _, limit := range l.policy.Limits {
			u.levels = append(u.levels, limit.Amount)
		}
		l.byClient[client] = u
	}
	costs := make([]float64, len(u.levels))
	elapsed := max(0, now.Sub(u.at)).Seconds()
	u.at = now
	for i, limit := range l.policy.Limits {
		rate := limit.Amount / limit.Per.Seconds()
		u.levels[i] = min(limit.Amount, u.levels[i]+elapsed*rate)
		costs[i] = 1
		if limit.Unit == ratelimit.ProcessingUnits {
			costs[i] = l.units
		}
		const rounding = 1e-9
		if lack := costs[i] - u.levels[i]; lack > rounding {
			wait = max(wait, time.Duration(lack/rate*float64(time.Second)))
		}
	}
	if wait > 0 {
		return wait, true
	}
	if l.policy.Concurrent > 0 && u.sessions >= l.policy.Concurrent {
		return 0, false
	}
	for i := range u.levels {
		u.levels[i] -= costs[i]
	}
	u.sessions++
	return 0, true
}

func (l *limits) end(client string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byClient[client].sessions--
}

// limited serves a client's request within Options.Limit, or answers 429.
func (s *Server) limited(w http.ResponseWriter, client string, serve func()) {
	wait, ok := s.limits.begin(client, time.Now())
	if !ok || wait > 0 {
		s.tally.add(func(c *Counters) { c.APILimited++ })
	}
	switch {
	case !ok: // as CDSE says it, which doesn't say when to ask again
		message := fmt.Sprintf("Max session number %d exceeded.", s.limits.policy.Concurrent)
		writeJSON(w, http.StatusTooManyRequests, apiError{http.StatusTooManyRequests, "Too Many Requests", message, "MAX_SESSIONS_EXCEEDED"})
	case wait > 0:
		ms := int64(math.Ceil(float64(wait) / float64(time.Millisecond)))
		w.Header().Set("Retry-After", strconv.FormatInt(ms, 10))
		writeJSON(w, http.StatusTooManyRequests, apiError{http.StatusTooManyRequests, "Too Many Requests", "You have exceeded your rate limit", "RATE_LIMIT_EXCEEDED"})
	default:
		defer s.limits.end(client)
		serve()
	}
}

// spent says what the request has cost, if Options.Units does.
func (s *Server) spent(w http.ResponseWriter) {
	if s.limits.units > 0 {
		w.Header().Set(ratelimit.SpentHeader, strconv.FormatFloat(s.limits.units, 'f', -1, 64))
	}
}
