package apiproxy

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/nextattempt"
)

// An answer is a refusal or a failure that comes from the proxy itself.
type answer struct {
	status  int
	code    string
	message string
}

// write writes the answer in the format of the services' errors.
func (a *answer) write(w http.ResponseWriter) {
	body, err := json.Marshal(struct {
		Status  int    `json:"status"`
		Reason  string `json:"reason"`
		Message string `json:"message"`
		Code    string `json:"code"`
	}{a.status, http.StatusText(a.status), a.message, a.code})
	if err != nil {
		panic(err) // strings and a number can't fail
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.status)
	_, _ = w.Write(append(body, '\n')) // a client that is gone needs no answer
}

// An upstreamError is a failure to get an answer from the upstream.
type upstreamError struct{ error }

func (e upstreamError) Unwrap() error { return e.error }

// A tokenError is a failure to get a token.
type tokenError struct{ error }

func (e tokenError) Unwrap() error { return e.error }

// An upstreamMarker marks the errors of the transport below the session's.
type upstreamMarker struct{ next http.RoundTripper }

func (m upstreamMarker) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err != nil {
		return nil, upstreamError{err}
	}
	return resp, nil
}

// A tokenMarker marks the errors of the session's transport that aren't from below it.
type tokenMarker struct{ next http.RoundTripper }

func (m tokenMarker) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := m.next.RoundTrip(r)
	if err == nil || errors.As(err, new(upstreamError)) {
		return resp, err
	}
	return nil, tokenError{err}
}

// fail answers a request that the upstream didn't answer.
func (p *Proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil { // the client is gone, or the proxy about to be
		panic(http.ErrAbortHandler)
	}
	if errors.As(err, new(tokenError)) {
		if p.noToken.begins() {
			p.logger.Warn("there is no token to forward requests with", "error", err, "method", r.Method)
		}
		p.failToken(w, err)
		return
	}
	if p.noUpstream.begins() {
		p.logger.Warn("the upstream can't be reached", "error", err, "method", r.Method, "upstream", p.upstream.Redacted())
	}
	a := &answer{http.StatusBadGateway, "PROXY_UPSTREAM", "The upstream didn't answer: " + err.Error()}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		a.status, a.code = http.StatusGatewayTimeout, "PROXY_UPSTREAM_TIMEOUT"
	}
	a.write(w)
}

// failToken answers a request for which there was no token.
func (p *Proxy) failToken(w http.ResponseWriter, err error) {
	a := &answer{http.StatusServiceUnavailable, "PROXY_NO_TOKEN", "There is no token to send the request with: " + err.Error()}
	var refused *shsession.AuthError
	if errors.As(err, &refused) {
		a.status, a.code = http.StatusBadGateway, "PROXY_TOKEN_REFUSED"
		if refused.Hint != "" {
			a.message += " (" + refused.Hint + ")"
		}
	}
	w.Header().Set("Retry-After", strconv.Itoa(nextattempt.Seconds(p.session, err)))
	a.write(w)
}
