package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/shsession/shsession"
)

// ErrNotLoopback comes with an address that other machines can reach, when that isn't allowed.
var ErrNotLoopback = errors.New("other machines could reach that address: " +
	"listen on 127.0.0.1, or allow remote clients in so many words")

// Limits of the server. An answer is made from memory and is some kilobytes long.
const (
	headerTimeout  = 5 * time.Second
	requestTimeout = 10 * time.Second // to read a request, which has no body
	answerTimeout  = 20 * time.Second
	idleTimeout    = 5 * time.Minute // longer than the usual time between scrapes
	maxHeader      = 16 << 10        // bytes, and net/http adds 4096
	maxScrapes     = 8               // at a time
	drainTimeout   = time.Second
)

// Listen listens on a TCP address such as "127.0.0.1:9464". The error wraps [ErrNotLoopback] if
// other machines could reach it and allowRemote isn't set.
func Listen(ctx context.Context, addr string, allowRemote bool) (net.Listener, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && !allowRemote {
		return nil, errors.Join(fmt.Errorf("%s: %w", tcp, ErrNotLoopback), ln.Close())
	}
	return ln, nil
}

// Serve serves Handler on ln, which it closes in the end, and blocks until ctx is done. Then it
// finishes what it's at, within a second, and returns nil; or it returns what else made it end. logger gets
// what goes wrong with a connection.
func (m *Metrics) Serve(ctx context.Context, ln net.Listener, logger *slog.Logger) error {
	server := &http.Server{
		Handler:           m.Handler(),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       requestTimeout,
		WriteTimeout:      answerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if server.Shutdown(draining) != nil { // a scraper that is slow to read loses its answer
		_ = server.Close() // the listener is closed already, and of connections it says nothing
	}
	<-served
	return nil
}

// Handler returns a handler of GET and HEAD requests for
//
//   - /metrics, for Prometheus;
//   - /healthz, answered 200 as long as the process can say how it is: if this isn't answered, restart it;
//   - /readyz, answered 200 while there is a valid token and it is published in every sink,
//     else 503 with a line of text that says what is amiss.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry:            m.registry,
		MaxRequestsInFlight: maxScrapes,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		m.status() // which takes the session's lock
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if reason := unready(m.status()); reason != "" {
			answer(w, http.StatusServiceUnavailable, reason)
			return
		}
		answer(w, http.StatusOK, "ok")
	})
	return mux
}

// answer writes a line of plain text.
func answer(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = fmt.Fprintln(w, text) // fails only if the client has gone
}

// unready says why nobody can count on the token, or "" if they can. The errors behind it are for
// the log alone.
func unready(status shsession.SharingStatus) string {
	switch status.Session.State {
	case shsession.NoToken:
		return "there is no token yet"
	case shsession.Expired:
		return "the token has expired"
	}
	for _, sink := range status.Sinks {
		if time.Until(sink.ExpiresAt) <= 0 {
			return fmt.Sprintf("no valid token is published in %q", sink.Name)
		}
	}
	return ""
}
