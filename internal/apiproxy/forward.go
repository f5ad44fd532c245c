package apiproxy

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/netenv"
	"github.com/shsession/shsession/ratelimit"
)

// flushInterval bounds how long a part of an answer of known length is buffered. Other answers aren't buffered.
const flushInterval = 50 * time.Millisecond

// idleConns is how many connections to the upstream are kept for the next requests.
const idleConns = 1024

// newTransport returns the transport that sends the requests unless Options.Base does.
func newTransport() (*http.Transport, error) {
	t, err := netenv.Transport()
	if err != nil {
		return nil, err
	}
	t.DisableCompression = true
	t.MaxIdleConns, t.MaxIdleConnsPerHost = idleConns, idleConns
	t.ReadBufferSize, t.WriteBufferSize = bufferSize, bufferSize
	return t, nil
}

// CloseIdleConnections closes the connections to the upstream that no request uses. It
// does nothing with Options.Base. [Proxy.Serve] calls it in the end.
func (p *Proxy) CloseIdleConnections() {
	if p.own != nil {
		p.own.CloseIdleConnections()
	}
}

// rewrite addresses a request to the upstream, and removes the headers that the upstream must not get.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	pr.SetURL(p.upstream)
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // also a query that ReverseProxy takes for malformed
	for name := range pr.Out.Header {
		if isWithheld(name) {
			delete(pr.Out.Header, name)
		}
	}
	if !strings.EqualFold(pr.Out.Header.Get("Upgrade"), "websocket") {
		pr.Out.Header.Del("Upgrade") // for example to h2c, in which the proxy couldn't see the requests
		pr.Out.Header.Del("Connection")
	}
	if pr.Out.GetBody != nil {
		pr.Out.Header.Del("Expect") // the body is here already, so there is nothing to wait for
	}
	if p.opts.Limiter == nil {
		pr.Out.Header.Del(ratelimit.UnitsHeader) // with one, its transport reads and removes that
	}
	pr.Out.Header.Add(loopHeader, p.mark)
	pr.Out.Trailer = nil // httputil.ReverseProxy would announce the client's trailers and send none
}

// modifyResponse removes and rewrites an answer's headers for the client.
func (p *Proxy) modifyResponse(resp *http.Response) error {
	if failed := p.noToken.ends() + p.noUpstream.ends(); failed > 0 {
		p.logger.Info("requests are forwarded again", "failed", failed)
	}
	withhold(resp.Header)
	withholdAnnounced(resp.Trailer)
	if location := resp.Header.Get("Location"); location != "" {
		resp.Header.Set("Location", p.relocate(resp.Request.URL, location))
	}
	return nil
}

// relocate returns the Location for the proxy's client, of an answer to a request for requested: a path
// at the proxy if the Location is below the base URL, and else an absolute URL.
func (p *Proxy) relocate(requested *url.URL, location string) string {
	target, err := requested.Parse(location)
	if err != nil {
		return location
	}
	path, below := strings.CutPrefix(target.EscapedPath(), p.upstream.EscapedPath())
	if !below || netenv.OriginOf(target) != netenv.OriginOf(p.upstream) || target.User != nil || leadsOut(target.Path) {
		return target.String()
	}
	if path == "" {
		path = "/"
	}
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") { // "/base" is a prefix of "/basement"
		return target.String()
	}
	return (&url.URL{Opaque: path, RawQuery: target.RawQuery, ForceQuery: target.ForceQuery,
		Fragment: target.Fragment, RawFragment: target.RawFragment}).String()
}
