package shsession

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
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

	// ErrOpaque: an access token is not a JWT, so it has no claims to read.
	ErrOpaque = errors.New("the access token is opaque, not a JWT")

	// ErrNotRefreshing: Share or Renew was asked of a session that never renews its token.
	ErrNotRefreshing = errors.New("the session never renews its token")

	// ErrLifeTooShort: TokenFor asked for more than the service's tokens live.
	ErrLifeTooShort = errors.New("tokens don't live that long")
)

// A LockedError is what TryLock returns for [ErrLocked]. It tells holdings apart: Holder is the
// same for as long as one process has the lock without a break, and no other has that.
type LockedError struct{ Holder string }

func (e *LockedError) Error() string { return ErrLocked.Error() }

// Is makes errors.Is(e, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// An AuthError is a refusal by the token endpoint with an error code (RFC 6749 section
// 5.2). Trying again with the same credentials is no use.
type AuthError struct {
	TokenURL    string
	ClientID    string
	Status      int    // the HTTP status
	Code        string // the error code, such as "invalid_client"
	Description string // the endpoint's own words, perhaps ""
	Hint        string // what to do about it, where the cause is known, else ""
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

// authHint says what usually causes an error code.
func authHint(cfg Config, code string) string {
	switch code {
	case "invalid_client", "unauthorized_client", "OAUTH_ERROR":
	default:
		return ""
	}
	var hints []string
	if MixedPair(cfg.BaseURL, cfg.TokenURL) {
		hints = append(hints, fmt.Sprintf("the base URL %s and the token URL %s belong to different services, and each refuses the other's credentials", cfg.BaseURL, cfg.TokenURL))
	}
	switch {
	case code == "unauthorized_client":
		hints = append(hints, "the client is known, so check the secret")
	case isCDSE(cfg.TokenURL):
		hints = append(hints, "check the client id; Sentinel Hub's clients are unknown to the Copernicus Data Space, and a client past its expiry date is refused like an unknown one")
	case isSentinelHub(cfg.TokenURL):
		hints = append(hints, "check the client id; the Copernicus Data Space's clients are unknown to Sentinel Hub (use the cdse preset), and a client past its expiry date is refused like an unknown one")
	default:
		hints = append(hints, "check the client id and secret; a client past its expiry date is refused like an unknown one")
	}
	return strings.Join(hints, "; ")
}

// An EndpointError is a failure of the token endpoint, or on the way to it, that says
// nothing about the credentials.
type EndpointError struct {
	TokenURL   string
	Status     int           // the HTTP status, 0 if there was no answer
	RetryAfter time.Duration // as asked for by the endpoint, at most a minute, or 0
	Permanent  bool          // trying again at once would be no use
	Hint       string        // what to do about it, where the cause is known, else ""
	Err        error         // what happened
}

func (e *EndpointError) Error() string {
	status := ""
	if e.Status != 0 {
		status = fmt.Sprintf(" answered %d %s", e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("token endpoint %s%s: %v", e.TokenURL, status, e.Err)
}

func (e *EndpointError) Unwrap() error { return e.Err }

// A ConflictError says that a store already holds a token of another client that somebody
// shares, so that sharing there would take it from its readers.
type ConflictError struct {
	Store    string   // the store's name
	ClientID string   // the client that the token there was issued to, "" if it can't be told
	Sharers  []Sharer // who shares it, where the store can tell
}

func (e *ConflictError) Error() string {
	msg := e.Store + " already holds a token of "
	if e.ClientID == "" {
		msg += "another client"
	} else {
		msg += fmt.Sprintf("client %q", e.ClientID)
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
