package identity

import (
	"net/http"
	"sync"
)

// Counters say what a Server has done since it was made.
type Counters struct {
	TokenRequests   int64 `json:"token_requests"`   // all requests at the token endpoint
	TokensIssued    int64 `json:"tokens_issued"`    // also tokens that a fault then kept from the client
	TokensRefused   int64 `json:"tokens_refused"`   // token requests that were answered with an OAuth error
	FaultsServed    int64 `json:"faults_served"`    // at the token endpoint and the API
	MaxConcurrent   int64 `json:"max_concurrent"`   // most token requests under way at one moment
	APIRequests     int64 `json:"api_requests"`     // all requests at the API or the files
	APIAuthorized   int64 `json:"api_authorized"`   // requests with a valid token
	APIUnauthorized int64 `json:"api_unauthorized"` // requests that got 401
	APIFaults       int64 `json:"api_faults"`       // requests that got a fault
	APILimited      int64 `json:"api_limited"`      // requests that got 429 because of Options.Limit
}

// tally keeps Counters. One lock over all of them makes every snapshot consistent.
type tally struct {
	mu       sync.Mutex // guards all below
	counters Counters
	inFlight int64
}

func (t *tally) add(change func(*Counters)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	change(&t.counters)
}

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight++
	t.counters.TokenRequests++
	t.counters.MaxConcurrent = max(t.counters.MaxConcurrent, t.inFlight)
}

func (t *tally) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.inFlight--
}

// counted counts requests to the token endpoint.
func (s *Server) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.tally.begin()
		defer s.tally.end()
		next.ServeHTTP(w, r)
	})
}

// Counters returns all counters as they were at one moment.
func (s *Server) Counters() Counters {
	s.tally.mu.Lock()
	defer s.tally.mu.Unlock()
	return s.tally.counters
}

func (s *Server) serveCounters(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, s.Counters())
}
