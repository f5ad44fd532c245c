package metrics

import (
	"context"
	_ "embed"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/shsession/shsession/internal/serve"
)

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

// Serve serves Handler on ln until ctx is done. Then it finishes the requests under way, within
// a second, closes ln and returns nil. If serving fails, it returns the error. logger gets the
// errors of connections.
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
	_, err := serve.Until(ctx, server, ln, drainTimeout) // a scraper that is slow to read loses its answer
	return err
}

// Handler returns a handler of GET and HEAD requests for
//
//   - /, a page for people with links to the others;
//   - /metrics, for Prometheus;
//   - /healthz, answered 200 while the process works: if there is no answer, restart the process;
//   - /readyz, answered 200 while there is a valid token and every sink holds it, else 503 with
//     the reason in a line of text.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, "text/html", landing)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		Registry:            m.registry,
		MaxRequestsInFlight: maxScrapes,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		m.status() // which takes the session's lock
		answer(w, http.StatusOK, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := ready(m.status()); err != nil {
			answer(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		answer(w, http.StatusOK, "ok")
	})
	return mux
}

//go:embed landing.html
var landing string

// answer writes a line of plain text.
func answer(w http.ResponseWriter, code int, text string) { write(w, code, "text/plain", text+"\n") }

func write(w http.ResponseWriter, code int, kind, text string) {
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, text) // fails only if the client has gone
}
