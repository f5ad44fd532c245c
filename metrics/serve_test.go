package metrics_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
)

// A shaky listener fails once, in a way that passes.
type shaky struct {
	net.Listener
	failed bool
}

func (l *shaky) Accept() (net.Conn, error) {
	if !l.failed {
		l.failed = true
		return nil, syscall.EMFILE
	}
	return l.Listener.Accept()
}

func TestServe(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	go func() { served <- busy().Serve(ctx, &shaky{Listener: ln}, logger) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	do := func(method, path string) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+ln.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for path, want := range map[string]int{"/metrics": 200, "/healthz": 200, "/readyz": 503, "/": 200, "/nothing": 404, "/debug/pprof/": 404} {
		if got := do(http.MethodGet, path); got != want {
			t.Errorf("GET %s: %d, want %d", path, got, want)
		}
	}
	if got := do(http.MethodPost, "/metrics"); got != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", got)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "too many open files") {
		t.Errorf("the log is %q", log.String())
	}
	ln.Close()
	if err := busy().Serve(t.Context(), ln, logger); err == nil {
		t.Error("served on a closed listener")
	}
}
