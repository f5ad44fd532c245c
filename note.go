package shsession

import (
	"errors"
	"time"

	"github.com/shsession/shsession/internal/delay"
	"github.com/shsession/shsession/internal/tokenrequest"
)

const (
	// noteLimit is the longest time that a note is in force for a reader.
	noteLimit = time.Minute

	// refusalLimit is the same for a note about a secret that was refused several times.
	refusalLimit = 15 * time.Minute
)

// A Note is what the last holder of a store's lock left about a failed login. The next
// process that wants the lock gets the same answer from the note, and doesn't repeat the
// login. A Note holds no free text. The zero Note is no note.
type Note struct {
	Until    time.Time // when the note ends, by this machine's clock; stores keep the time that remains
	Status   int       // the HTTP status of the answer
	Code     string    // the OAuth 2.0 error code (RFC 6749 section 5.2), or ""
	Secret   string    // for a refusal: a short hash of the account and secret that were refused
	Failures int       // how many logins have failed in a row
}

// IsZero reports whether n is no note.
func (n Note) IsZero() bool { return n.Status == 0 }

// Remaining returns how long the note is in force, 0 if it has ended. It is a minute at
// most, also if the writer asked for more. For refused credentials the limit doubles with
// each refusal in a row, up to 15 minutes.
func (n Note) Remaining() time.Duration {
	if n.IsZero() {
		return 0
	}
	limit := noteLimit
	if n.Secret != "" {
		limit = delay.Doubled(noteLimit, n.Failures-1, refusalLimit)
	}
	return min(max(0, time.Until(n.Until)), limit)
}

// KeepsOut reports whether TryLock has to refuse a caller because of n, the stored note or
// the zero Note. It is for implementations of Store.
func (n Note) KeepsOut(pass func(Note) bool) bool {
	switch {
	case n.IsZero():
		return false
	case pass == nil:
		return n.Remaining() > 0
	}
	return !pass(n)
}

// Local reports whether the note is only for this machine: a 4xx without an OAuth error code
// may come from this machine's proxy or mistyped URL.
func (n Note) Local() bool {
	return n.Status/100 == 4 && n.Status != 429 && n.Code == ""
}

// noteOf returns the note about a failed login: the answer of the token endpoint. Local
// failures, such as DNS, a proxy or a timeout, get no note. failures is the number of
// failures in the last note.
func (cfg Config) noteOf(err error, failures int) Note {
	var auth *AuthError
	var endpoint *EndpointError
	n := Note{Failures: failures + 1}
	switch {
	case errors.As(err, &auth):
		n.Status, n.Code, n.Secret = auth.Status, auth.Code, cfg.secretHash()
		n.Until = time.Now().Add(delay.Doubled(noteLimit, failures, refusalLimit))
	case errors.As(err, &endpoint) && endpoint.Status >= 400:
		n.Status = endpoint.Status
		wait := cfg.RetryWait
		for range min(failures, 10) {
			wait = min(3*wait, maxWait)
		}
		wait = time.Duration(float64(wait) * (1 - delay.JitterPart)) // so that the note ends before its writer tries again
		n.Until = time.Now().Add(max(wait, endpoint.RetryAfter))
	default:
		return Note{}
	}
	return n
}

// A notedError is an answer that another process got from the token endpoint and left in a
// note. It wraps an AuthError or an EndpointError.
type notedError struct {
	note  Note
	cause error
}

func (e *notedError) Error() string {
	return e.cause.Error() + " (as another process was told a moment ago)"
}

func (e *notedError) Unwrap() error { return e.cause }

func isNoted(err error) bool {
	var noted *notedError
	return errors.As(err, &noted)
}

// noted returns the error that a note stands for.
func (cfg Config) noted(n Note) error {
	if n.Secret != "" {
		return &notedError{n, &AuthError{
			TokenURL: cfg.TokenURL, ClientID: cfg.ClientID, Status: n.Status, Code: n.Code,
			Hint: knownServices.RefusalHint(n.Code, cfg.BaseURL, cfg.TokenURL),
		}}
	}
	return &notedError{n, &EndpointError{
		TokenURL: cfg.TokenURL, Status: n.Status, RetryAfter: n.Remaining(), Hint: tokenrequest.StatusHint(n.Status),
		Permanent: tokenrequest.IsFinalStatus(n.Status), Err: errors.New("no token in the answer"),
	}}
}
