package shsession

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/shsession/shsession/internal/jwt"
)

// Errors to branch on with [errors.Is].
var (
	// ErrNoCredentials: a Config without client id or secret.
	ErrNoCredentials = errors.New("no client id and secret are set")

	// ErrExpired comes with an expired token that can't be renewed here.
	ErrExpired = errors.New("the token has expired")

	// ErrNotShared: a Store holds no token.
	ErrNotShared = errors.New("no token is shared")

	// ErrLocked: another holder has a Store's lock.
	ErrLocked = errors.New("another process has the lock")

	// ErrUnavailable: a Store can't be reached, or can't answer at the moment. A later call
	// may succeed.
	ErrUnavailable = errors.New("the store is unavailable")

	// ErrOpaque: an access token is not a JWT, so it has no claims to read.
	ErrOpaque = jwt.ErrOpaque

	// ErrNotRefreshing: Share or Renew was asked of a session that never renews its token.
	ErrNotRefreshing = errors.New("the session never renews its token")

	// ErrLifeTooShort: TokenFor asked for a longer life than the service's tokens have.
	ErrLifeTooShort = errors.New("tokens don't live that long")
)

// A LockedError is what TryLock returns for [ErrLocked]: another holder has the lock, or
// there is a note.
type LockedError struct {
	// Holder identifies one holding of the lock. It stays the same while one process keeps
	// the lock, and is different for every other holding. It is "" with a Note.
	Holder string

	// Note is the note that keeps the caller out, zero if a holder does.
	Note Note
}

func (e *LockedError) Error() string {
	if !e.Note.IsZero() {
		return fmt.Sprintf("%v: the last login there was answered %d %s", ErrLocked, e.Note.Status, e.Note.Code)
	}
	return ErrLocked.Error()
}

// Is makes errors.Is(e, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// An AuthError is a refusal by the token endpoint with an error code (RFC 6749 section
// 5.2). A further attempt with the same credentials is refused too.
type AuthError struct {
	TokenURL    string
	ClientID    string
	Status      int    // the HTTP status
	Code        string // the error code, such as "invalid_client"
	Description string // the endpoint's own words, or ""
	Hint        string // what the user can do, if the cause is known, else ""
}

func (e *AuthError) Error() string {
	return fmt.Sprintf("client %q was refused by %s: %s", e.ClientID, e.TokenURL, words(e.Code, e.Description))
}

// words puts an error code and its description, if there is one, into one phrase.
func words(code, description string) string {
	if description == "" {
		return code
	}
	return code + " (" + description + ")"
}

// An EndpointError is a failure of the token endpoint, or of the connection to it. It
// doesn't say whether the credentials are right.
type EndpointError struct {
	TokenURL   string
	Status     int           // the HTTP status, 0 if there was no answer
	RetryAfter time.Duration // the endpoint's Retry-After, at most a minute, or 0
	Permanent  bool          // the same request would fail again
	Hint       string        // what the user can do, if the cause is known, else ""
	Err        error         // the cause
}

func (e *EndpointError) Error() string {
	if e.Status == 0 {
		return fmt.Sprintf("token endpoint %s: %v", e.TokenURL, e.Err)
	}
	status := fmt.Sprintf("%d %s", e.Status, http.StatusText(e.Status))
	if e.Err.Error() == "HTTP "+status { // Keycloak's words for a path where nothing is
		return fmt.Sprintf("token endpoint %s answered %s", e.TokenURL, status)
	}
	return fmt.Sprintf("token endpoint %s answered %s: %v", e.TokenURL, status, e.Err)
}

func (e *EndpointError) Unwrap() error { return e.Err }

// A ConflictError says that a store holds a token of another account, or that a process
// shares such a token there. To share there would take that token from its readers.
type ConflictError struct {
	Store   string   // the store's name
	Account          // the account of the token in the store
	Own     Account  // the account that was to be shared
	Sharers []Sharer // the processes that share the token, if the store knows them
}

func (e *ConflictError) Error() string {
	msg := e.Store + " already holds a token of "
	if e.ClientID == "" {
		msg += "another client"
	} else {
		msg += fmt.Sprintf("client %q", e.ClientID)
	}
	if e.ClientID == e.Own.ClientID && e.Issuer != e.Own.Issuer {
		msg += fmt.Sprintf(" at %s, and this one is of %s", e.Issuer, e.Own.Issuer)
	}
	for i, sharer := range e.Sharers {
		if i == 0 {
			msg += ", shared by " + sharer.String()
		} else {
			msg += " and " + sharer.String()
		}
	}
	return msg
}

// A storeError is an error of a store, not of a token endpoint.
type storeError struct{ error }

func (e *storeError) Unwrap() error { return e.error }

// isStoreError reports whether err only says that a store failed. A store that is empty, or
// whose token hasn't been renewed, works.
func isStoreError(err error) bool {
	var endpoint *EndpointError
	var auth *AuthError
	var conflict *ConflictError
	works := errors.Is(err, ErrNotShared) || errors.Is(err, ErrExpired) || errors.Is(err, ErrLocked) || errors.Is(err, errNothingNew)
	return err != nil && !works && !errors.As(err, &endpoint) && !errors.As(err, &auth) && !errors.As(err, &conflict)
}

// mayPass reports whether the cause of an error of Share may pass.
func mayPass(err error) bool {
	var endpoint *EndpointError
	return errors.Is(err, ErrNotShared) || errors.Is(err, ErrExpired) || errors.Is(err, ErrUnavailable) ||
		errors.Is(err, errNothingNew) || errors.As(err, &endpoint) && !endpoint.Permanent
}
