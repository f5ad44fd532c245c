package shsession

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Client returns an HTTP client that authorises its requests: one with Transport(nil).
func (s *Session) Client() *http.Client { return &http.Client{Transport: s.Transport(nil)} }

// Transport returns a RoundTripper that adds the token to requests, in place of any
// Authorization header, and sends them with base. If that is nil it is
// http.DefaultTransport, or one for the session with the CA file that SSL_CERT_FILE,
// REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names, as for its token requests.
//
// A request waits for a token as Token does, on its own context. When the server answers
// 401, the token is rejected, and the request is sent once more with a new one, if its
// body can be replayed (http.Request.GetBody). The server's other answers are the
// caller's business, 429 too.
//
// The token goes to one origin (scheme, host and port): that of the first request. A
// request that a redirect led to anywhere else goes without, and so do those after it,
// were they led back. Plain http is refused but for the loopback interface, or with
// Config.AllowHTTP.
func (s *Session) Transport(base http.RoundTripper) http.RoundTripper {
	if base == nil {
		base = s.apiTransport()
	}
	return &transport{s, base}
}

type transport struct {
	session *Session
	base    http.RoundTripper
}

// CloseIdleConnections is for http.Client's method of that name.
func (tr *transport) CloseIdleConnections() { closeIdleConnections(tr.base) }

func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if ledAstray(r) {
		return tr.send(r, Token{})
	}
	if r.URL.Scheme != "https" && !tr.session.allowHTTP && !isLoopback(r.URL.Hostname()) {
		closeBody(r)
		return nil, fmt.Errorf("a token isn't sent unencrypted to %s: use https, or Config.AllowHTTP if that is meant", r.URL.Host)
	}
	t, err := tr.session.Token(r.Context())
	if err != nil {
		closeBody(r)
		return nil, err
	}
	resp, err := tr.send(r, t)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	return tr.retry(r, t, resp)
}

// retry sends a request again that was answered 401, with another token. Where it can't,
// the answer stays as it is.
func (tr *transport) retry(r *http.Request, refused Token, resp *http.Response) (*http.Response, error) {
	tr.session.Reject(refused)
	again := r.Clone(r.Context())
	if r.Body != nil && r.Body != http.NoBody {
		if r.GetBody == nil {
			return resp, nil
		}
		body, err := r.GetBody()
		if err != nil {
			return resp, nil
		}
		again.Body = body
	}
	t, err := tr.session.Token(r.Context())
	if err != nil || t.Equal(refused) {
		closeBody(again)
		return resp, nil
	}
	if resp.ContentLength >= 0 && resp.ContentLength <= 64<<10 {
		_, _ = io.Copy(io.Discard, resp.Body) // so that the connection can be used again
	}
	resp.Body.Close()
	return tr.send(again, t)
}

// send sends a request with a token, or with none. The response says which request it
// answers, for ledAstray: not every base does so, or without changing the URL.
func (tr *transport) send(r *http.Request, t Token) (*http.Response, error) {
	sent := r
	if !t.IsZero() {
		sent = r.Clone(r.Context()) // a RoundTripper mustn't change what it was given
		t.SetAuthHeader(sent)
	}
	resp, err := tr.base.RoundTrip(sent)
	if err == nil {
		resp.Request = r
	}
	return resp, err
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// ledAstray reports whether the chain of redirects that led to r left the origin of its
// first request, or can't be followed back to that.
func ledAstray(r *http.Request) bool {
	here := origin(r.URL)
	for r.Response != nil {
		r = r.Response.Request
		if r == nil || origin(r.URL) != here {
			return true
		}
	}
	return false
}

// origin returns a URL's origin (RFC 6454 section 4), with the port spelled out.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
