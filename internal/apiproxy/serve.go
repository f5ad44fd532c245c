package apiproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// ErrNotLoopback comes with an address that other machines can reach, without Options.AllowRemote.
var ErrNotLoopback = errors.New("other machines could reach that address, and use the token: " +
	"listen on 127.0.0.1, or allow remote clients in so many words")

// Limits of the proxy's server. Requests and answers as such may take any time.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // bytes, and net/http adds 4096
)

// ListenAndServe serves on addr, such as "127.0.0.1:8888", as Serve does. ready, if not nil, is called once with
// the address in use.
func (p *Proxy) ListenAndServe(ctx context.Context, addr string, ready func(net.Addr)) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	if err := p.checkListener(ln); err != nil {
		return errors.Join(err, ln.Close())
	}
	if ready != nil {
		ready(ln.Addr())
	}
	return p.Serve(ctx, ln)
}

// checkListener returns ErrNotLoopback if other machines can reach the listener and mayn't.
func (p *Proxy) checkListener(ln net.Listener) error {
	addr, ok := ln.Addr().(*net.TCPAddr)
	if ok && !addr.IP.IsLoopback() && !p.opts.AllowRemote {
		return fmt.Errorf("%s: %w", addr, ErrNotLoopback)
	}
	return nil
}

// Serve serves on ln, which it closes in the end, and blocks until ctx is done. Then it takes no new
// connections, and requests have Options.DrainTimeout to finish before their connections are cut. Upgraded
// connections, which may never finish by themselves, are cut when the others have finished.
// It returns nil when no request is left, or what else made it end.
func (p *Proxy) Serve(ctx context.Context, ln net.Listener) error {
	defer ln.Close() // http.Server has closed it, unless it never got it
	if err := p.checkListener(ln); err != nil {
		return err
	}
	defer p.CloseIdleConnections()
	serving, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	var under underWay
	server := &http.Server{
		Handler:                      under.count(p),
		BaseContext:                  func(net.Listener) context.Context { return serving },
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is refused like all that isn't a path
		ReadHeaderTimeout:            headerTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeader,
		ErrorLog:                     slog.NewLogLogger(p.logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		draining, cancel := context.WithTimeout(serving, p.opts.DrainTimeout)
		if err := server.Shutdown(draining); err != nil {
			p.logger.Warn("requests were cut off, since they took too long to finish", "after", p.opts.DrainTimeout)
		}
		cancel()
		<-served
	}
	cut()
	_ = server.Close() // the listener is closed already, and of connections it says nothing
	under.wait()
	return err
}

// An underWay counts the requests under way, those on upgraded connections too, which http.Server forgets.
type underWay struct {
	mu     sync.Mutex // guards closed, and Add from running beside Wait
	closed bool
	wg     sync.WaitGroup
}

func (u *underWay) begin() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return false
	}
	u.wg.Add(1)
	return true
}

// count returns a handler that counts the requests to next.
func (u *underWay) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !u.begin() {
			panic(http.ErrAbortHandler)
		}
		defer u.wg.Done()
		next.ServeHTTP(w, r)
	})
}

// wait refuses further requests and waits for those under way.
func (u *underWay) wait() {
	u.mu.Lock()
	u.closed = true
	u.mu.Unlock()
	u.wg.Wait()
}
