package apiproxy

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// isOwnHost reports whether the request's Host is a name or an address of this proxy. It ignores the
// port: another site makes a browser connect here by a host name.
func (p *Proxy) isOwnHost(r *http.Request) bool {
	host := canonicalHost(r.Host)
	if p.hosts[host] {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	if ip = ip.Unmap(); ip.IsLoopback() {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return ok && local.AddrPort().Addr().Unmap().WithZone("") == ip
}

// canonicalHost returns a host without its port, brackets, final dot and capitals.
func canonicalHost(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}
