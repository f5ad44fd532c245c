package netenv

import (
	"net"
	"strings"
)

// IsLoopback reports whether a URL's host is this machine, by its name or as an address.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
