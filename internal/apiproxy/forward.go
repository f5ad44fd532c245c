package apiproxy

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/shsession/shsession"
)

// flushInterval bounds how long a part of an answer of known length waits for more. Other answers don't wait at all.
const flushInterval = 50 * time.Millisecond

// idleConns is how many connections to the upstream are kept for the next requests.
const idleConns = 1024

// newTransport returns the transport that sends the requests unless Options.Base does.
func newTransport() (*http.Transport, error) {
	t, err := shsession.NewHTTPTransport()
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

// rewrite addresses a request to the upstream, and takes away what isn't the upstream's business.
func (p *Proxy) rewrite(pr *httputil.ProxyRequest) {
	pr.SetURL(p.upstream)
	pr.Out.URL.RawQuery = pr.In.URL.RawQuery // what ReverseProxy takes for malformed too
	for name := range pr.Out.Header {
		if isWithheld(name) {
			delete(pr.Out.Header, name)
		}
	}
	if !strings.EqualFold(pr.Out.Header.Get("Upgrade"), "websocket") {
		pr.Out.Header.Del("Upgrade") // to h2c above all, in which requests would pass unseen
		pr.Out.Header.Del("Connection")
	}
	if pr.Out.GetBody != nil {
		pr.Out.Header.Del("Expect") // the body is here already, so there is nothing to wait for
	}
}

// isWithheld reports whether a request's header isn't passed on.
func isWithheld(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Origin", "Referer", "Via", "Proxy", "X-Real-Ip",
		"X-Original-Url", "X-Rewrite-Url": // by which some servers take another path than the request's
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Sec-Fetch-") || strings.HasPrefix(name, "Proxy-")
}

// withhold takes away from an answer's header what is meant for the upstream's origin and not for the proxy's.
func withhold(header http.Header) {
	for name := range header {
		switch {
		case name == "Set-Cookie", name == "Alt-Svc", name == "Strict-Transport-Security",
			strings.HasPrefix(name, "Access-Control-"):
			delete(header, name)
		}
	}
}

// modifyResponse makes an answer the proxy's own.
func (p *Proxy) modifyResponse(resp *http.Response) error {
	withhold(resp.Header)
	if location := resp.Header.Get("Location"); location != "" {
		resp.Header.Set("Location", p.relocate(resp.Request.URL, location))
	}
	return nil
}

// relocate returns what a Location that answers the request to requested is for the proxy's client:
// a path at the proxy if it is below the base URL, and else an absolute URL.
func (p *Proxy) relocate(requested *url.URL, location string) string {
	target, err := requested.Parse(location)
	if err != nil {
		return location
	}
	path, below := strings.CutPrefix(target.EscapedPath(), p.upstream.EscapedPath())
	if !below || originOf(target) != originOf(p.upstream) || target.User != nil || leadsOut(target.Path) {
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
