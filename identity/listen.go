package identity

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/shsession/shsession/internal/serve"
)

// ErrNotLoopback is returned for an address that other machines can reach, unless
// Options.AllowRemote is set.
var ErrNotLoopback = serve.ErrNotLoopback

// shutdownGrace is how long requests may take to finish after the end of ctx.
const shutdownGrace = 2 * time.Second

// ListenAndServe serves on addr, "127.0.0.1:8081" or "localhost:0", until ctx ends, then returns nil. Requests that hang or
// are slow end with ctx; others have two seconds to finish. ready, if not nil, is called once with the address in use.
//
// It blocks. Any other end is an error: [ErrNotLoopback], or one of net.Listen or http.Server.Serve.
func (s *Server) ListenAndServe(ctx context.Context, addr string, ready func(net.Addr)) error {
	ln, err := serve.Listen(ctx, addr, s.opts.AllowRemote)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           s,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
		// No WriteTimeout: faults may be as slow as they were told to be.
	}
	if s.opts.Logger != nil {
		server.ErrorLog = slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelWarn)
	}
	if ready != nil {
		ready(ln.Addr())
	}
	_, err = serve.Until(ctx, server, ln, shutdownGrace)
	return err
}
