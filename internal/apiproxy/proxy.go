// Package apiproxy is a reverse proxy that adds a session's token to the requests of programs that
// can't add it themselves: QGIS, browsers, and other programs that use HTTP.
//
// [New] makes a [Proxy] for one upstream, and [Proxy.ListenAndServe] serves it on the loopback interface.
//
// # What it forwards
//
// Requests go only to the upstream's base URL: a request's path is joined to the base URL's path. A path
// that could leave the base URL (dot segments, also encoded, or a leading double slash) is refused, as
// are CONNECT, TRACE and requests for an absolute URL. The query is forwarded unchanged. Bodies stream
// both ways, compressed bodies unchanged, and WebSocket upgrades work.
//
// The upstream doesn't get the client's Authorization, Cookie, Origin, Referer and Sec-Fetch headers,
// headers that name the client, and headers that could name another path. The client gets no cookie
// (cookies of 127.0.0.1 are sent to all its ports) and only the proxy's own CORS headers. A Location
// below the base URL is rewritten to the proxy's address, and redirects aren't followed. Addresses in
// bodies aren't rewritten.
//
// A request that is answered 401 is sent once more with a new token, if it has no body or a body of
// known length of at most 1 MiB. The client gets every other answer as it is: a 429 keeps its
// Retry-After, which the services count in milliseconds. With a Limiter, requests are held until the
// limit allows them, and such a request that is answered 429 is repeated.
//
// # Who can use it
//
// Every program that can connect has the token's rights. So the proxy listens on the loopback
// interface, unless AllowRemote is set, and refuses requests that a web page could send: requests for
// a Host that isn't the proxy's (DNS rebinding, status 421), and requests from another origin (status
// 403), unless the options allow the host or origin. The origin is taken from Origin or, for example
// for images, from Referer. One case isn't refused: if a proxy is reached by plain http under a name
// other than loopback's, and a page of another site forbids the Referer, browsers don't say where a
// request for an image comes from. The page can't read the image, but its request uses the token.
//
// # What it answers itself
//
// If the client accepts text/html, as browsers do, GET / without a query is a page about the proxy. For
// "/?" and for other programs the request is forwarded. Refusals and failures are JSON in the services'
// format, with a code that starts with PROXY_. Without a token the answer is 503, or 502 if the
// credentials were refused, and its Retry-After counts seconds as in RFC 9110. If the upstream's answer
// breaks off, the proxy cuts the client's connection.
package apiproxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/tokenendpoint"
	"github.com/shsession/shsession/ratelimit"
)

// DefaultDrainTimeout is the default of Options.DrainTimeout.
const DefaultDrainTimeout = 10 * time.Second

// Options say what a Proxy forwards to and for whom. Upstream is required.
type Options struct {
	// Upstream is the base URL, https or http, with or without a path.
	Upstream string

	// AllowOrigins are the web origins whose pages may use the proxy, such as "http://localhost:3000".
	AllowOrigins []string

	// AllowHosts are further host names of the proxy, without a port. localhost and the
	// address that a client connects to are always allowed.
	AllowHosts []string

	// AllowRemote lets the proxy listen on an address that other machines can reach.
	AllowRemote bool

	// TokenHandler answers requests for the token endpoint's path. They come from programs
	// that log in by themselves and use the proxy's address instead of the service's. nil
	// means that these requests are forwarded like any other.
	TokenHandler http.Handler

	// Logins returns the number of logins that TokenHandler has answered, for the page about
	// the proxy. It must not block. nil means that the page doesn't show the number.
	Logins func() tokenendpoint.Status

	// Limiter holds requests until a rate limit allows them, and repeats requests that are
	// answered 429. nil means that requests are sent at once. The caller closes the Limiter.
	Limiter *ratelimit.Limiter

	// Base sends the requests. nil means a transport of the proxy's own, with proxy and CA files
	// from the environment, as netenv.Transport reads them. A given Base should not compress
	// (http.Transport.DisableCompression).
	Base http.RoundTripper

	// DrainTimeout is how long requests have to finish when Serve's context ends.
	DrainTimeout time.Duration

	// Logger gets a record of each request (debug) and of each failure to reach the upstream
	// (warning), without queries, bodies and secrets. nil means slog.Default().
	Logger *slog.Logger

	// OnRequest, if not nil, is called after each request, except for the page about the proxy, with
	// the status of the answer and the time that the whole request took. 499 means that the client
	// has disconnected. 502 is also the status of an answer that broke off.
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
	own      *http.Transport // nil if Options.Base sends the requests
	history  history
	page     *page
	mark     string    // this proxy's name in loopHeader
	warnLoop sync.Once // for the warning that the upstream leads back here

	noToken, noUpstream outage
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
		opts: o, logger: o.Logger, mark: newMark()}
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
		Transport:      tokenMarker{ratelimit.Transport(s.Transport(upstreamMarker{base}, upstream.String()), o.Limiter)}, // whose errors are an upstreamError or a tokenError
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
		if !rec.isPage { // browsers reload the page by themselves, and it doesn't use the service
			p.note(r, code, time.Since(start))
		}
		if cut != nil {
			panic(cut) // which net/http expects, to cut the connection
		}
	}()
	p.serve(rec, r)
}

func (p *Proxy) serve(w *recorder, r *http.Request) {
	if err := p.checkLoop(r); err != nil {
		err.write(w)
		return
	}
	if err := p.checkTarget(r); err != nil {
		err.write(w)
		return
	}
	if wantsPage(r) {
		w.isPage = true
		p.servePage(w, r)
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
	if p.opts.TokenHandler != nil && isTokenPath(r.URL.Path) {
		p.opts.TokenHandler.ServeHTTP(w, r)
		return
	}
	r, err := replayable(w, r)
	if err != nil {
		err.write(w)
		return
	}
	p.reverse.ServeHTTP(w, r)
	withhold(w.Header()) // whose trailers net/http sends next
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
