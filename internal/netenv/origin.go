package netenv

import (
	"net/url"
	"strings"
)

// An Origin is a scheme, host and port (RFC 6454 section 4). The port is "" if it is the
// scheme's own.
type Origin struct{ scheme, host, port string }

// OriginOf returns a URL's origin.
func OriginOf(u *url.URL) Origin {
	o := Origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if o.scheme == "http" && o.port == "80" || o.scheme == "https" && o.port == "443" {
		o.port = ""
	}
	return o
}

// String returns the origin as browsers write it (RFC 6454 section 6.2).
func (o Origin) String() string {
	text := o.scheme + "://" + o.host
	if strings.Contains(o.host, ":") {
		text = o.scheme + "://[" + o.host + "]"
	}
	if o.port != "" {
		text += ":" + o.port
	}
	return text
}
