package apiproxy

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/shsession/shsession/internal/netenv"
)

// parseOrigins reads web origins and returns them as browsers write them.
func parseOrigins(list []string) (map[string]bool, error) {
	origins := map[string]bool{}
	for _, text := range list {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || u.Host == "" || strings.Contains(u.Host, "*") || u.User != nil ||
			strings.TrimSuffix(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("%q is no web origin: write a scheme, a host and perhaps a port, as in http://localhost:3000", text)
		}
		origins[netenv.OriginOf(u).String()] = true
	}
	return origins, nil
}

// admitOrigin refuses the requests of a page of another origin, unless the origin is allowed: then it
// keeps the origin, so that the page may read the answer.
func (p *Proxy) admitOrigin(w *recorder, r *http.Request) *answer {
	w.varies = len(p.origins) > 0
	origin, foreign := foreignOrigin(r)
	if !foreign {
		return nil
	}
	if !p.origins[origin] {
		return &answer{http.StatusForbidden, "PROXY_ORIGIN",
			"Pages of other origins may not use this proxy. If one should, allow its origin when starting the proxy."}
	}
	w.origin = origin
	return nil
}

// foreignOrigin returns the origin of the page that makes the request, "" if the request doesn't say, and
// whether it differs from the proxy's. Programs other than browsers send neither Origin nor
// Sec-Fetch-Site. Browsers don't send them either for a page's image, if the proxy is reached by plain http
// under a name that isn't loopback's. But then they send a Referer, unless the page forbids it.
func foreignOrigin(r *http.Request) (origin string, foreign bool) {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	if site == "none" || site == "same-origin" {
		return "", false
	}
	if origin != "" {
		return compareOrigin(r, origin)
	}
	if r.Referer() == "" {
		return "", site != ""
	}
	origin, foreign = compareOrigin(r, r.Referer())
	return origin, foreign || site != ""
}

// compareOrigin returns the origin of the page at a URL, "" if unknown, and whether it differs from the
// origin that the request is for.
func compareOrigin(r *http.Request, page string) (origin string, foreign bool) {
	u, err := url.Parse(page)
	if err != nil || u.Host == "" { // "null" too
		return "", true
	}
	from := netenv.OriginOf(u)
	return from.String(), from != netenv.OriginOf(&url.URL{Scheme: u.Scheme, Host: r.Host})
}

// isPreflight reports whether the request asks if another request is allowed (Fetch standard,
// section "CORS-preflight request").
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// answerPreflight permits a page of an allowed origin the request that it asks for.
func answerPreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
	if headers := r.Header.Get("Access-Control-Request-Headers"); headers != "" {
		h.Set("Access-Control-Allow-Headers", headers)
	}
	if r.Header.Get("Access-Control-Request-Private-Network") == "true" {
		h.Set("Access-Control-Allow-Private-Network", "true")
	}
	h.Set("Access-Control-Max-Age", "600")
	h.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
	w.WriteHeader(http.StatusNoContent)
}
