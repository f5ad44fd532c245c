package ratelimit

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shsession/shsession/internal/retryafter"
)

const (
	// UnitsHeader is a request's header that says how many processing units it will cost.
	// It isn't sent on.
	UnitsHeader = "Shsession-Units"

	// SpentHeader is an answer's header that says how many units the request has cost.
	SpentHeader = "X-Processingunits-Spent"
)

// maxRepeats is how often a request is sent again that was answered 429.
const maxRepeats = 10

// Transport returns a RoundTripper that sends requests with base when the limiter allows
// them. A nil base means http.DefaultTransport. A request waits until its context ends. A
// request that is answered 429 is sent again, ten times at most, if its body can be replayed
// (http.Request.GetBody). The caller gets the last 429. If the limiter is nil, Transport
// returns base itself.
//
// With a session, use the session's transport as base. Then a request waits first and takes
// a token afterwards, so the token is fresh:
//
//	ratelimit.Transport(session.Transport(nil), limiter)
//
// A request's cost in units is in its UnitsHeader, else the running mean of the costs of
// requests to its path. A slot is kept until the answer's body is read to its end or closed.
func Transport(base http.RoundTripper, l *Limiter) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	if l == nil {
		return base
	}
	return &transport{base, l}
}

type transport struct {
	base    http.RoundTripper
	limiter *Limiter
}

// CloseIdleConnections is for http.Client's method of that name.
func (t *transport) CloseIdleConnections() {
	(&http.Client{Transport: t.base}).CloseIdleConnections()
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	path := r.URL.Host + r.URL.Path
	units, told := parseUnits(r.Header.Get(UnitsHeader))
	start := time.Now()
	var ticket Ticket
	for repeats := 0; ; repeats++ {
		if !told {
			units = t.limiter.means.of(path)
		}
		place, err := t.limiter.reserve(r.Context(), units, start, ticket)
		if err != nil {
			if r.Body != nil && repeats == 0 {
				r.Body.Close()
			}
			return nil, err
		}
		resp, err := t.send(r, repeats)
		if err != nil {
			t.limiter.later(func() { place.Done(Outcome{Units: -1}) })
			return nil, err
		}
		if resp.StatusCode != http.StatusTooManyRequests {
			t.finish(place, path, resp)
			return resp, nil
		}
		place.Done(Outcome{Status: resp.StatusCode, RetryAfter: t.limiter.retryAfter(resp), Units: 0})
		ticket = place.next
		if repeats == maxRepeats || t.limiter.overdue(start) || !canReplay(r) {
			return resp, nil
		}
		_, _ = io.CopyN(io.Discard, resp.Body, 64<<10) // so that the connection can be used again
		resp.Body.Close()
	}
}

// errNoBody says that a body can't be had a second time.
var errNoBody = errors.New("the request's body can't be sent again")

func canReplay(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// send sends the request, or a copy of it if that has to differ.
func (t *transport) send(r *http.Request, repeats int) (*http.Response, error) {
	if _, marked := r.Header[UnitsHeader]; !marked && repeats == 0 {
		return t.base.RoundTrip(r)
	}
	sent := r.Clone(r.Context()) // a RoundTripper mustn't change what it was given
	sent.Header.Del(UnitsHeader)
	if repeats > 0 && r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, errors.Join(errNoBody, err)
		}
		sent.Body = body
	}
	resp, err := t.base.RoundTrip(sent)
	if err == nil {
		resp.Request = r
	}
	return resp, err
}

// finish tells the limiter how a request went, at once or when its slot is free.
func (t *transport) finish(place *Reservation, path string, resp *http.Response) {
	spent, said := parseUnits(resp.Header.Get(SpentHeader))
	if !said && resp.StatusCode < 400 {
		spent = 0 // the service charges units for other paths alone
	}
	if said || resp.StatusCode < 400 {
		t.limiter.means.add(path, spent)
	} else {
		spent = 0 // and for failures nothing
	}
	outcome := Outcome{Status: resp.StatusCode, Units: spent}
	done := func() { t.limiter.later(func() { place.Done(outcome) }) }
	if place.renewal == nil || resp.StatusCode == http.StatusSwitchingProtocols {
		done()
		return
	}
	resp.Body = &body{ReadCloser: resp.Body, done: sync.OnceFunc(done)}
}

// A body is an answer's, whose end frees the slot.
type body struct {
	io.ReadCloser
	done func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.done()
	}
	return n, err
}

func (b *body) Close() error {
	defer b.done()
	return b.ReadCloser.Close()
}

// retryAfter returns how long a 429 asks to wait, negative if it doesn't say.
func (l *Limiter) retryAfter(resp *http.Response) time.Duration {
	unit := l.cfg.RetryAfterUnit
	if unit == 0 {
		unit = time.Second
		if resp.Request != nil && countsMilliseconds(resp.Request.URL.Hostname()) {
			unit = time.Millisecond
		}
	}
	wait, said := retryafter.ParseUnit(resp.Header, unit, time.Now())
	if !said {
		return -1
	}
	return wait
}

// countsMilliseconds reports whether the host's Retry-After is in milliseconds.
func countsMilliseconds(host string) bool {
	host = strings.ToLower(host)
	for _, domain := range []string{"sentinel-hub.com", "dataspace.copernicus.eu"} {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
