package status

import (
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

// A Report describes a sharer's session.
type Report struct {
	Renewals  uint64    `json:"renewals"`            // new tokens after the first
	Failures  uint64    `json:"failures"`            // attempts to get one
	LastError string    `json:"last_error,omitzero"` // why the last attempt failed, "" after a success
	RenewAt   time.Time `json:"renew_at,omitzero"`   // when the token is due for renewal
	NextTry   time.Time `json:"next_try,omitzero"`   // after a failure

	Endpoint *Endpoint `json:"endpoint,omitzero"` // nil without one
}

// An Endpoint describes a sharer's token endpoint.
type Endpoint struct {
	HandedOut   uint64 `json:"handed_out"`  // how many times the endpoint handed out a token
	Clients     uint64 `json:"clients"`     // that have the latest token
	Refused     uint64 `json:"refused"`     // requests with wrong credentials
	Unavailable uint64 `json:"unavailable"` // requests for which there was no token
}

func endpointReport(s tokenendpoint.Status) *Endpoint {
	return &Endpoint{HandedOut: s.Handed, Clients: s.Clients, Refused: s.Refused, Unavailable: s.Unavailable}
}

// reportOf makes the report of a session. It tells no more than the session's log.
func reportOf(s shsession.Status) Report {
	r := Report{
		Renewals: max(s.Renewals, 1) - 1,
		Failures: s.Failures.Refused + s.Failures.Endpoint() + s.Failures.Store,
		RenewAt:  s.RenewAt.UTC(),
		NextTry:  s.NextTry.UTC(),
	}
	if !s.RenewAt.IsZero() && s.RenewAt.Unix() <= 0 { // it was refused, or somebody wants another
		r.RenewAt = time.Now().UTC()
	}
	if s.LastError != nil {
		r.LastError = s.LastError.Error()
	}
	return r
}

// timeout is how long a sharer has for its report. A live one takes far less than a millisecond.
const timeout = 300 * time.Millisecond
