package shsession

import (
	"errors"
	"net/http"
	"time"
)

// A Status describes a session at one moment.
type Status struct {
	State     State
	ClientID  string    // "" if it can't be told
	ExpiresAt time.Time // the token's expiry, zero without one
	RenewAt   time.Time // when it becomes due for renewal, zero without a token or if it never does

	Logins   uint64   // tokens that this session fetched from the token endpoint
	Renewals uint64   // new tokens, fetched or found in a store
	Failures Failures // attempts that failed

	LastError   error     // why the last attempt failed, nil after a success
	LastErrorAt time.Time // when, kept after a success
	NextTry     time.Time // before this no attempt is made, zero if one may be at any time
}

// Failures counts attempts to get a token that failed, by cause.
type Failures struct {
	Refused     uint64 // the token endpoint refused the credentials
	RateLimited uint64 // it answered 429: too many logins
	Server      uint64 // it answered with another error status
	Malformed   uint64 // its answer was a success, but no token, not a whole one, or the old one again
	Network     uint64 // it couldn't be reached, or didn't answer in time
	Store       uint64 // a store failed or couldn't be reached
}

// Endpoint returns how many attempts failed at the token endpoint, or on the way to it.
func (f Failures) Endpoint() uint64 { return f.RateLimited + f.Server + f.Malformed + f.Network }

// count counts an attempt that failed.
func (f *Failures) count(err error) {
	var auth *AuthError
	var endpoint *EndpointError
	switch {
	case errors.As(err, &auth):
		f.Refused++
	case !errors.As(err, &endpoint):
		f.Store++
	case endpoint.Status == 0:
		f.Network++
	case endpoint.Status == http.StatusTooManyRequests:
		f.RateLimited++
	case endpoint.Status/100 == 2:
		f.Malformed++
	default:
		f.Server++
	}
}

// counts are a session's numbers for its Status.
type counts struct {
	logins, renewals uint64
	failures         Failures
	lastErrorAt      time.Time
}

// Status returns the session's state. It doesn't block on a renewal.
func (s *Session) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.cur.Load()
	status := Status{
		State:       e.state(time.Now().UnixNano()),
		ClientID:    s.client(),
		ExpiresAt:   e.token.ExpiresAt(),
		Logins:      s.counts.logins,
		Renewals:    s.counts.renewals,
		Failures:    s.counts.failures,
		LastError:   s.gate.err,
		LastErrorAt: s.counts.lastErrorAt,
	}
	if s.renews() && !e.token.IsZero() {
		status.RenewAt = time.Unix(0, max(e.staleAt, e.since.UnixNano()))
	}
	if s.gate.opens.After(time.Now()) {
		status.NextTry = s.gate.opens
	}
	return status
}

// countFailure counts an attempt that failed.
func (s *Session) countFailure(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.failures.count(err)
	s.counts.lastErrorAt = time.Now()
}

// logFailure logs an attempt that failed and that no caller is told of, and how long it is
// until there may be another.
func (s *Session) logFailure(err error, wait time.Duration) {
	s.logger.Warn("no new token", "error", err, "retry_in", max(0, wait).Round(100*time.Millisecond), "client_id", s.client())
}
