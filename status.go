package shsession

import (
	"errors"
	"net/http"
	"time"
)

// A Status describes a session at one moment.
type Status struct {
	State     State
	ClientID  string        // "" if unknown
	ExpiresAt time.Time     // the token's expiry, zero without a token
	Life      time.Duration // the token's whole life, 0 if unknown
	RenewAt   time.Time     // when renewal becomes due, zero without a token or if the session never renews

	Logins   uint64   // tokens that this session fetched from the token endpoint
	Renewals uint64   // new tokens, fetched or found in a store
	Failures Failures // attempts that failed

	LastError   error     // why the last attempt failed, nil after a success
	LastErrorAt time.Time // when the last attempt failed, kept after a success
	NextTry     time.Time // no attempt starts before this; zero if one can start now
}

// Failures counts attempts to get a token that failed, by cause.
type Failures struct {
	Refused     uint64 // the token endpoint refused the credentials
	RateLimited uint64 // the token endpoint answered 429: too many logins
	Server      uint64 // the token endpoint answered with another error status
	Malformed   uint64 // the token endpoint's answer was a success, without a complete new token
	Network     uint64 // the token endpoint couldn't be reached, or didn't answer in time
	Store       uint64 // a store failed or couldn't be reached
}

// Endpoint returns how many attempts failed at the token endpoint, or on the way to it,
// without the refused ones.
func (f Failures) Endpoint() uint64 { return f.RateLimited + f.Server + f.Malformed + f.Network }

// of returns the count of failures such as err.
func (f *Failures) of(err error) *uint64 {
	var auth *AuthError
	var endpoint *EndpointError
	switch {
	case errors.As(err, &auth):
		return &f.Refused
	case !errors.As(err, &endpoint):
		return &f.Store
	case endpoint.Status == 0:
		return &f.Network
	case endpoint.Status == http.StatusTooManyRequests:
		return &f.RateLimited
	case endpoint.Status/100 == 2:
		return &f.Malformed
	}
	return &f.Server
}

// counts are a session's numbers for its Status.
type counts struct {
	logins, renewals uint64
	failures         Failures
	lastErrorAt      time.Time

	failedSince int     // attempts that failed since the last success
	loggedSince *uint64 // the kind of failure that was logged last since the last success: one of failures
}

// Status returns the session's state. It doesn't block on a renewal.
func (s *Session) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.cur.Load()
	status := Status{
		State:       e.state(time.Now().UnixNano()),
		ClientID:    s.account().ClientID,
		ExpiresAt:   e.token.ExpiresAt(),
		Life:        e.token.Life(),
		Logins:      s.counts.logins,
		Renewals:    s.counts.renewals,
		Failures:    s.counts.failures,
		LastError:   s.backoff.err,
		LastErrorAt: s.counts.lastErrorAt,
	}
	if s.renews() && !e.token.IsZero() {
		status.RenewAt = time.Unix(0, max(e.staleAt, e.since.UnixNano()))
	}
	if s.backoff.nextAttempt.After(time.Now()) {
		status.NextTry = s.backoff.nextAttempt
	}
	return status
}

// lastFailure returns why the last attempt failed, nil after a success.
func (s *Session) lastFailure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refresh != nil && s.refresh.last != nil {
		return s.refresh.last
	}
	return s.backoff.err
}

// countFailure counts an attempt of a refresh that failed.
func (s *Session) countFailure(r *refresh, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.last = err
	*s.counts.failures.of(err)++
	s.counts.failedSince++
	s.counts.lastErrorAt = time.Now()
}

// A SharingStatus describes a Sharing at one moment.
type SharingStatus struct {
	Session Status
	Sinks   []SinkStatus
}

// A SinkStatus describes one sink of a Sharing.
type SinkStatus struct {
	Name      string
	ExpiresAt time.Time // of the token that was published last
	Restored  uint64    // how many times the token was put back
	Err       error     // why the last attempt to publish failed, nil after a success
}

// Status returns the sharing's state. It doesn't block on I/O.
func (sh *Sharing) Status() SharingStatus {
	status := SharingStatus{Session: sh.session.Status()}
	for _, o := range sh.sinks {
		o.mu.Lock()
		sink := SinkStatus{Name: sinkName(o.sink), ExpiresAt: o.published.ExpiresAt(), Err: o.err}
		o.mu.Unlock()
		if o.watch != nil {
			sink.Restored = o.watch.Restored()
		}
		status.Sinks = append(status.Sinks, sink)
	}
	return status
}
