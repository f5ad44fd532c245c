package tokenendpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A refusal is an error answer (RFC 6749 section 5.2), with Keycloak's words.
type refusal struct {
	status      int
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// Keycloak's refusals of token requests. Unlike Keycloak, the endpoint gives the same refusal for
// a wrong secret and a wrong client id.
var (
	errNoGrant         = &refusal{http.StatusBadRequest, "invalid_request", "Missing form parameter: grant_type"}
	errUnknownGrant    = &refusal{http.StatusBadRequest, "unsupported_grant_type", "Unsupported grant_type"}
	errBadClient       = &refusal{http.StatusUnauthorized, "invalid_client", "Invalid client or Invalid client credentials"}
	errDuplicate       = &refusal{http.StatusBadRequest, "invalid_request", "duplicated parameter"}
	errNoPasswords     = &refusal{http.StatusBadRequest, "unauthorized_client", "Client not allowed for direct access grants"}
	errNoRefreshToken  = &refusal{http.StatusBadRequest, "invalid_request", "No refresh token"}
	errBadRefreshToken = &refusal{http.StatusBadRequest, "invalid_grant", "Invalid refresh token"}
)

// httpError is Keycloak's answer to a request that reaches no endpoint.
func httpError(status int) *refusal {
	return &refusal{status: status, Code: fmt.Sprintf("HTTP %d %s", status, http.StatusText(status))}
}

// unavailable is the answer while a token or the keys of the service are missing.
func unavailable(err error) *refusal {
	return &refusal{http.StatusServiceUnavailable, "temporarily_unavailable", err.Error()}
}

func (e *refusal) write(w http.ResponseWriter) {
	body, err := json.Marshal(e)
	if err != nil {
		panic("two strings can be marshalled")
	}
	writeJSON(w, e.status, body)
}

// writeJSON writes an answer that must not be stored.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["Cache-Control"] = noStore
	h["Pragma"] = noCache
	h["X-Content-Type-Options"] = noSniff
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that is gone needs no answer
}

// Header values, which net/http doesn't change.
var (
	jsonType = []string{"application/json"}
	noStore  = []string{"no-store"}
	noCache  = []string{"no-cache"}
	noSniff  = []string{"nosniff"}
)

const (
	// refusalDelay is how long a request with wrong credentials waits for its refusal.
	refusalDelay = time.Second

	// maxDelayed is how many requests wait for a refusal at a time. Others are refused at once, so
	// that they can't use up connections.
	maxDelayed = 16

	// warnEvery is how often refusals are logged at most.
	warnEvery = time.Minute
)

// A doorman delays the refusal of requests that lack the credentials, and counts them.
type doorman struct {
	waiting chan struct{} // has an element for each request that waits

	mu       sync.Mutex // guards the fields below
	refused  uint64
	told     uint64 // of refused
	warnedAt time.Time
}

func newDoorman() doorman { return doorman{waiting: make(chan struct{}, maxDelayed)} }

// count counts a refusal. It returns the number of refusals since they were last logged, or 0 if
// they were logged less than warnEvery ago.
func (d *doorman) count() (unlogged uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused++
	if now := time.Now(); d.told == 0 || now.Sub(d.warnedAt) >= warnEvery {
		unlogged, d.told, d.warnedAt = d.refused-d.told, d.refused, now
	}
	return unlogged
}

// delay waits before a refusal, until ctx ends. If too many requests wait already, it returns at
// once.
func (d *doorman) delay(ctx context.Context) {
	select {
	case d.waiting <- struct{}{}:
	default:
		return
	}
	defer func() { <-d.waiting }()
	timer := time.NewTimer(refusalDelay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (d *doorman) refusals() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}
