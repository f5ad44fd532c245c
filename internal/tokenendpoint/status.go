package tokenendpoint

import "time"

// A Status counts the answers of an endpoint.
type Status struct {
	// Handed counts the answers with a token. LastAt is the time of the last one, zero if there
	// was none.
	Handed uint64
	LastAt time.Time

	// Clients is the number of clients: the answers with the latest token, or with the token
	// before it if those are more. A client that keeps its token asks for each token once.
	Clients uint64

	// Refused counts the requests with wrong credentials, and Unavailable those for which
	// there was no token.
	Refused, Unavailable uint64
}

// Status returns the endpoint's counts so far. It doesn't block.
func (e *Endpoint) Status() Status {
	status := e.tokens.status()
	status.Refused = e.doorman.refusals()
	return status
}

// Status returns the handler's counts so far. It doesn't block.
func (h *Worthless) Status() Status { return h.tokens.status() }

func (ts *tokens) status() Status {
	status := Status{Handed: ts.handed.Load(), Unavailable: ts.unavailable.Load()}
	if at := ts.lastAt.Load(); at != 0 {
		status.LastAt = time.Unix(0, at)
	}
	if last := ts.last.Load(); last != nil {
		status.Clients = max(last.handed.Load(), last.before)
	}
	return status
}
