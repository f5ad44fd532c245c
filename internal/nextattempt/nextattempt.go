// Package nextattempt says when a client of ours, for whom there was no token, should ask again.
package nextattempt

import (
	"errors"
	"math"
	"time"

	"github.com/shsession/shsession"
)

// unknown is the answer where nothing tells when there may be a token.
const unknown = 5 * time.Second

// Seconds returns the Retry-After (RFC 9110 section 10.2.3) of an answer to a request for which
// s had no token, and err was the reason: the time until the session's next attempt, or else
// what the token endpoint asked for. It is at least 1.
func Seconds(s *shsession.Session, err error) int {
	wait := unknown
	var endpoint *shsession.EndpointError
	if next := s.Status().NextTry; !next.IsZero() {
		wait = time.Until(next)
	} else if errors.As(err, &endpoint) && endpoint.RetryAfter > 0 {
		wait = endpoint.RetryAfter
	}
	return max(1, int(math.Ceil(wait.Seconds())))
}
