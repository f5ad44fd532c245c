package apiproxy

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/shsession/shsession/internal/serve"
)

// Limits of the proxy's server. There is no limit to how long a request or an answer takes.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // bytes, and net/http adds 4096
)

// ListenAndServe serves on addr, such as "127.0.0.1:8790", as Serve does. ready, if not nil, is called once with
// the address in use.
func (p *Proxy) ListenAndServe(ctx context.Context, addr string, ready func(net.Addr)) error {
	ln, err := serve.Listen(ctx, addr, p.opts.AllowRemote)
	if err != nil {
		return err
	}
	if ready != nil {
		ready(ln.Addr())
	}
	return p.Serve(ctx, ln)
}

// Serve serves on ln, and blocks until ctx is done. Then it closes ln and accepts no new connections.
// Requests under way have Options.DrainTimeout to finish before their connections are cut. Upgraded
// connections, which may never finish by themselves, are cut when the others have finished. Serve returns
// nil when no request is left, or the error that made it end.
func (p *Proxy) Serve(ctx context.Context, ln net.Listener) error {
	defer ln.Close() // http.Server has closed it, unless it never got it
	if !p.opts.AllowRemote {
		if err := serve.Check(ln.Addr()); err != nil {
			return err
		}
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
	late, err := serve.Until(ctx, server, ln, p.opts.DrainTimeout)
	if late {
		p.logger.Warn("requests were cut off, since they took too long to finish", "after", p.opts.DrainTimeout)
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
