// Package serve listens on an address of this machine, and serves HTTP until a context ends.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// ErrNotLoopback comes with an address that other machines can reach, where that isn't allowed.
var ErrNotLoopback = errors.New("other machines could reach that address: " +
	"listen on 127.0.0.1, or allow remote clients")

// Listen listens on a TCP address such as "127.0.0.1:8790" or "localhost:0". The error wraps
// [ErrNotLoopback] if other machines can reach the address and allowRemote is false. ctx bounds
// the look-up of a host's name.
func Listen(ctx context.Context, addr string, allowRemote bool) (net.Listener, error) {
	if !allowRemote {
		var err error
		if addr, err = loopback(ctx, addr); err != nil {
			return nil, err
		}
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
}

// loopback returns addr with its host as a number, so that the address that is checked is the
// address that is listened on.
func loopback(ctx context.Context, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", &net.OpError{Op: "listen", Net: "tcp", Err: err} // as net.Listen says it
	}
	if host == "" { // every address of the machine
		return "", fmt.Errorf("%q: %w", addr, ErrNotLoopback)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	var use netip.Addr
	for _, ip := range ips {
		if ip = ip.Unmap(); !ip.IsLoopback() {
			return "", fmt.Errorf("%q: %w", addr, ErrNotLoopback)
		}
		if !use.IsValid() || ip.Is4() {
			use = ip
		}
	}
	return net.JoinHostPort(use.String(), port), nil
}

// Check returns an error that wraps [ErrNotLoopback] if other machines can reach a TCP address.
func Check(addr net.Addr) error {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		return fmt.Errorf("%s: %w", addr, ErrNotLoopback)
	}
	return nil
}

// Until serves on ln, which it closes, and blocks until ctx is done. Then no new connection is
// taken, and requests have the time drain to finish before their connections are cut. cut reports
// whether that happened. The error is nil after ctx is done, else it is the error of
// [http.Server.Serve].
func Until(ctx context.Context, server *http.Server, ln net.Listener, drain time.Duration) (cut bool, err error) {
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return false, err
	case <-ctx.Done():
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if server.Shutdown(draining) != nil {
		cut = true
		_ = server.Close() // the listener is closed already, and Close says nothing about connections
	}
	<-served
	return cut, nil
}
