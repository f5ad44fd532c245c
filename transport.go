package shsession

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync/atomic"

	"github.com/shsession/shsession/internal/netenv"
)

// Client returns an HTTP client that authorises its requests. Its Transport is
// Transport(nil, origins...).
func (s *Session) Client(origins ...string) *http.Client {
	return &http.Client{Transport: s.Transport(nil, origins...)}
}

// Transport returns a RoundTripper that adds the token to requests, and sends them with
// base. A nil base means http.DefaultTransport, or, if SSL_CERT_FILE, REQUESTS_CA_BUNDLE or
// CURL_CA_BUNDLE names a CA file, a transport with that file, as for token requests.
//
// The token goes to the origin (scheme, host and port) of Config.BaseURL. Without a BaseURL
// it goes to the origin of the issuer's service, or of the issuer itself. Name other origins
// in the arguments, such as "https://services-uswest2.sentinel-hub.com". A request to any
// other origin is an error that names the origin. A redirect to another origin is followed
// without the token, and so are all redirects after it, also back to an allowed origin.
// Plain http is refused, except on the loopback interface or with Config.AllowHTTP.
//
// A request waits for a token as Token does, on its own context. When the server answers
// 401, the token is rejected, and the request is sent once more with a new token, if its
// body can be replayed (http.Request.GetBody). The caller gets every other answer as it is,
// also a 429. A request with its own Authorization header is sent as it is, and the caller
// gets its 401.
//
// As with any client, net/http itself repeats a request that a server hasn't processed (RFC
// 9113 section 6.8), until the request's context ends, if its body can be replayed.
func (s *Session) Transport(base http.RoundTripper, origins ...string) http.RoundTripper {
	if base == nil {
		base = s.api
	}
	tr := &transport{session: s, base: base}
	for _, text := range origins {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || u.Host == "" {
			tr.err = errors.New("an origin of Transport or Client isn't written as https://HOST")
			continue
		}
		tr.origins = append(tr.origins, netenv.OriginOf(u))
	}
	return tr
}

type transport struct {
	session *Session
	base    http.RoundTripper
	origins []netenv.Origin               // where the token goes, beside the service's origin
	service atomic.Pointer[netenv.Origin] // the service's origin, nil while unknown
	err     error                         // of the origins
}

// CloseIdleConnections is for http.Client's method of that name.
func (tr *transport) CloseIdleConnections() {
	(&http.Client{Transport: tr.base}).CloseIdleConnections()
}

func (tr *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if len(r.Header["Authorization"]) > 0 {
		return tr.base.RoundTrip(r)
	}
	if r.Response != nil && !tr.keptTo(r) {
		return tr.send(r, Token{})
	}
	t, err := tr.token(r)
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

// token returns the token for a request, or an error if the token may not go there: before
// a login, unless the service is known only by the token.
func (tr *transport) token(r *http.Request) (Token, error) {
	known := tr.serviceOrigin() != (netenv.Origin{})
	switch u := r.URL; {
	case tr.err != nil:
		return Token{}, tr.err
	case u.Scheme != "https" && !tr.session.cfg.AllowHTTP && !netenv.IsLoopback(u.Hostname()):
		return Token{}, fmt.Errorf("a token isn't sent unencrypted to %s: use https, or Config.AllowHTTP if that is meant", u.Host)
	case known && !tr.allows(u):
		return Token{}, tr.foreign(u)
	}
	t, err := tr.session.Token(r.Context())
	if err == nil && !known && !tr.allows(r.URL) {
		err = tr.foreign(r.URL)
	}
	return t, err
}

// foreign is the error of a request to an origin that the token may not go to.
func (tr *transport) foreign(u *url.URL) error {
	service := "an unknown service"
	if known := tr.serviceOrigin(); known != (netenv.Origin{}) {
		service = known.String()
	}
	return fmt.Errorf("the token is for %s and isn't sent to %s: name that origin in Client or Transport if it is meant", service, netenv.OriginOf(u))
}

// allows reports whether the token may go to a URL.
func (tr *transport) allows(u *url.URL) bool {
	to := netenv.OriginOf(u)
	return to == tr.serviceOrigin() || slices.Contains(tr.origins, to)
}

// serviceOrigin returns the origin of the service that the session's tokens are for, the zero
// Origin while it is unknown.
func (tr *transport) serviceOrigin() netenv.Origin {
	if known := tr.service.Load(); known != nil {
		return *known
	}
	base := tr.session.cfg.BaseURL
	if base == "" {
		issuer := tr.session.account().Issuer
		base = orDefault(knownServices.Of(issuer).BaseURL, issuer)
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return netenv.Origin{}
	}
	known := netenv.OriginOf(u)
	tr.service.Store(&known)
	return known
}

// retry sends a request that was answered 401 again, with another token. If it can't, it
// returns the answer as it is.
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

// send sends a request, with a token unless t is zero. It sets the response's Request, which
// keptTo needs: some bases don't set it, or change its URL.
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

// keptTo reports whether r and all redirects that led to r are at origins that the token may
// go to. It reports false if a redirect in the chain is unknown.
func (tr *transport) keptTo(r *http.Request) bool {
	for ; tr.allows(r.URL); r = r.Response.Request {
		if r.Response == nil {
			return true
		}
		if r.Response.Request == nil {
			return false
		}
	}
	return false
}
