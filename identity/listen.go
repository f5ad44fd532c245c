package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// ErrNotLoopback is returned for an address that other machines could reach, when Options.AllowRemote is not set.
var ErrNotLoopback = errors.New("the development identity service listens on loopback only; " +
	"use 127.0.0.1, or allow remote addresses in so many words")

// shutdownGrace is how long requests may take to finish after the end of ctx.
const shutdownGrace = 2 * time.Second

// ListenAndServe serves on addr, "127.0.0.1:8081" or "localhost:0", until ctx ends, then returns nil. Requests that hang or
// are slow end with ctx; others have two seconds to finish. ready, if not nil, is called once with the address in use.
//
// It blocks. Any other end is an error: [ErrNotLoopback], or one of net.Listen or http.Server.Serve.
func (s *Server) ListenAndServe(ctx context.Context, addr string, ready func(net.Addr)) error {
	if !s.opts.AllowRemote {
		var err error
		if addr, err = loopback(ctx, addr); err != nil {
			return err
		}
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
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
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	if ready != nil {
		ready(ln.Addr())
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close()
	}
	<-served
	return nil
}

// loopback returns addr with its host as a number, so that what is listened on is what was checked.
func loopback(ctx context.Context, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if host == "" { // every address of the machine
		return "", fmt.Errorf("%q: %w", addr, ErrNotLoopback)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", err
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
