package apiproxy

import (
	"net/http"
	"strings"
)

// isWithheld reports whether a request's header isn't forwarded.
func isWithheld(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Origin", "Referer", "Via", "Proxy", "X-Real-Ip",
		"X-Original-Url", "X-Rewrite-Url": // by which some servers take another path than the request's
		return true
	}
	return strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "Sec-Fetch-") || strings.HasPrefix(name, "Proxy-")
}

// isForUpstreamOrigin reports whether an answer's field is meant for the upstream's origin and
// would do harm at the proxy's. Cookies are sent to every port of 127.0.0.1, and what a browser
// clears, reports or upgrades because of such a field also concerns other programs there.
func isForUpstreamOrigin(name string) bool {
	switch name {
	case "Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Alt-Svc", "Strict-Transport-Security",
		"Nel", "Report-To", "Reporting-Endpoints", "Service-Worker-Allowed", "Timing-Allow-Origin":
		return true
	}
	return strings.HasPrefix(name, "Access-Control-")
}

// isNoTrailer reports whether a field has no place in trailers: message framing, routing,
// and what says how the content is to be read (RFC 9110 section 6.5.1).
func isNoTrailer(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Trailer", "Te", "Upgrade",
		"Host", "Location", "Refresh", "Cache-Control", "Vary", "Www-Authenticate":
		return true
	}
	return strings.HasPrefix(name, "Proxy-") || strings.HasPrefix(name, "Content-")
}

// withhold removes from an answer's header, early header or trailers the fields that the client
// doesn't get. After the header has been sent, it removes trailers: a trailer has its plain name
// if the header announced it, and else http.TrailerPrefix.
func withhold(fields http.Header) {
	for key := range fields {
		name, isTrailer := strings.CutPrefix(key, http.TrailerPrefix)
		name = http.CanonicalHeaderKey(name)
		if isForUpstreamOrigin(name) || isTrailer && isNoTrailer(name) {
			delete(fields, key)
		}
	}
}

// withholdAnnounced removes the announcements of trailers that the client doesn't get.
func withholdAnnounced(trailers http.Header) {
	withhold(trailers)
	for name := range trailers {
		if isNoTrailer(name) {
			delete(trailers, name)
		}
	}
}
