// Package apiproxy is a reverse proxy that adds a session's token to the requests of programs that
// can't do so themselves: QGIS, a browser, anything that speaks HTTP.
//
// [New] makes a [Proxy] for one upstream, and [Proxy.ListenAndServe] serves it on the loopback interface.
//
// # What it passes on
//
// Requests go to the upstream's base URL and nowhere else: a path is joined to that of the
// base URL, and one that could lead out of it (dot segments, encoded ones too, a
// leading double slash) is refused, as are CONNECT, TRACE and requests for an absolute URL. The query is passed on as it is.
// Bodies stream both ways, compressed ones as they are, and WebSocket upgrades work.
//
// The upstream gets no Authorization, Cookie, Origin, Referer or Sec-Fetch header of the client's, nothing that says whom
// the request was forwarded for, and no header that could name another path. The client gets
// no cookie (those of 127.0.0.1 belong to every port of it) and no CORS header but the proxy's own. A Location below the
// base URL becomes one at the proxy, and redirects aren't followed. Addresses in bodies stay as they are.
//
// A request that is answered 401 is sent once more with a new token, if it has no body
// or one whose length is known and at most 1 MiB. Every other answer is the client's business: 429
// arrives with its Retry-After, which the services count in milliseconds.
//
// # Whom it serves
//
// Everybody who can connect has the token's rights. So it listens on the
// loopback interface unless told otherwise, and refuses what a web page could send:
// requests for a Host that isn't the proxy's (DNS rebinding, status 421), and those that
// another origin makes (status 403), unless that is allowed. The origin is taken from Origin or, for images and
// the like, from Referer. One hole is left: to a proxy that is reached by plain http under another name than loopback's,
// browsers don't say that a page of another site asks for an image, if the page forbids the Referer. It can't see
// the image, but it has used the token.
//
// # What it answers itself
//
// GET / without a query is a page about the proxy if the client accepts text/html, as browsers do; "/?" and
// other programs get the upstream's. Refusals and failures are JSON in the services' shape,
// with a code that starts with PROXY_. Without a token the answer is 503, or 502 when the
// credentials were refused, and Retry-After counts seconds as in RFC 9110.
// An answer that breaks off breaks off for the client too: its connection is cut.
package apiproxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/shsession/shsession"
)

// DefaultDrainTimeout stands for a zero Options.DrainTimeout.
const DefaultDrainTimeout = 10 * time.Second

// Options say what a Proxy forwards to and for whom. Upstream is required.
type Options struct {
	// Upstream is the base URL, https or http, with or without a path.
	Upstream string

	// AllowOrigins are the web origins whose pages may use the proxy, such as "http://localhost:3000".
	AllowOrigins []string

	// AllowHosts are names without a port under which the proxy is reached, besides
	// localhost and the addresses that it's connected to at.
	AllowHosts []string

	// AllowRemote lets it listen on an address that other machines can reach.
	AllowRemote bool

	// Base sends the requests. nil means a transport of the proxy's own, with proxy and CA
	// files from the environment, as shsession.NewHTTPTransport reads them. Another should not compress (http.Transport.DisableCompression).
	Base http.RoundTripper

	// DrainTimeout is how long requests have to finish when Serve's context ends.
	DrainTimeout time.Duration

	// Logger gets a record of each request (debug), each failure to reach the upstream
	// (warning), and no query, body or secret. nil means slog.Default().
	Logger *slog.Logger

	// OnRequest, if not nil, is called after each request but those for the page about the proxy, with the status of the answer
	// and the time that the whole of it took. 499 is a client that went away, and 502 also an answer that broke off.
	OnRequest func(code int, took time.Duration)
}

// A Proxy is an http.Handler. New makes one. It may serve on several listeners.
type Proxy struct {
	session  *shsession.Session
	upstream *url.URL
	origins  map[string]bool
	hosts    map[string]bool
	opts     Options
	logger   *slog.Logger
	reverse  *httputil.ReverseProxy
	own      *http.Transport // nil if it's Options.Base that sends
	history  history
	page     *page
}

// New returns a proxy, or an error that says which option is wrong. It starts nothing.
func New(s *shsession.Session, o Options) (*Proxy, error) {
	if s == nil {
		return nil, errors.New("there is no session")
	}
	upstream, err := parseUpstream(o.Upstream)
	if err != nil {
		return nil, err
	}
	origins, err := parseOrigins(o.AllowOrigins)
	if err != nil {
		return nil, err
	}
	if o.DrainTimeout < 0 {
		return nil, errors.New("DrainTimeout can't be negative")
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = DefaultDrainTimeout
	}
	p := &Proxy{session: s, upstream: upstream, origins: origins, hosts: map[string]bool{"localhost": true},
		opts: o, logger: o.Logger}
	if p.logger == nil {
		p.logger = slog.Default()
	}
	for _, host := range o.AllowHosts {
		if host = canonicalHost(host); host == "" {
			return nil, fmt.Errorf("AllowHosts has %q, which is no host name", host)
		}
		p.hosts[host] = true
	}
	base := o.Base
	if base == nil {
		if p.own, err = newTransport(); err != nil {
			return nil, err
		}
		base = p.own
	}
	p.page = newPage()
	p.reverse = &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		ModifyResponse: p.modifyResponse,
		ErrorHandler:   p.fail,
		Transport:      tokenMarker{s.Transport(upstreamMarker{base})}, // whose errors are an upstreamError or a tokenError
		FlushInterval:  flushInterval,
		BufferPool:     &bufferPool{},
		ErrorLog:       slog.NewLogLogger(p.logger.Handler(), slog.LevelWarn),
	}
	return p, nil
}

// ServeHTTP implements http.Handler. Under a server that isn't [Proxy.Serve], limits to the time and size of
// headers are that server's.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	rec := &recorder{ResponseWriter: w}
	defer func() {
		cut := recover()
		code := rec.status(r.Context(), cut != nil)
		if !rec.isPage { // which browsers make anew again and again, and which is no use of the proxy
			p.note(r, code, time.Since(start))
		}
		if cut != nil {
			panic(cut) // which net/http expects, to cut the connection
		}
	}()
	p.serve(rec, r)
}

func (p *Proxy) serve(w *recorder, r *http.Request) {
	if err := p.checkTarget(r); err != nil {
		err.write(w)
		return
	}
	if wantsPage(r) {
		w.isPage = true
		p.servePage(w)
		return
	}
	if err := p.admitOrigin(w, r); err != nil {
		err.write(w)
		return
	}
	if w.origin != "" && isPreflight(r) {
		answerPreflight(w, r)
		return
	}
	r, err := replayable(w, r)
	if err != nil {
		err.write(w)
		return
	}
	p.reverse.ServeHTTP(w, r)
}

// note counts and logs a request.
func (p *Proxy) note(r *http.Request, code int, took time.Duration) {
	p.history.add(code, took)
	if p.opts.OnRequest != nil {
		p.opts.OnRequest(code, took)
	}
	if ctx := r.Context(); p.logger.Enabled(ctx, slog.LevelDebug) {
		p.logger.DebugContext(ctx, "request", "method", r.Method, "path", r.URL.Path, "code", code, "took", took)
	}
}
