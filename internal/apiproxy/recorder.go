package apiproxy

import (
	"bufio"
	"context"
	"net"
	"net/http"
)

// statusGone is what nginx logs for a client that went away before its answer.
const statusGone = 499

// A recorder is a ResponseWriter that remembers the status, and lets an allowed origin's page
// read the answer, whoever wrote it.
type recorder struct {
	http.ResponseWriter
	code   int    // 0 before there is one
	origin string // that may read the answer, or ""
	varies bool   // whether the answer depends on the page that asks
	isPage bool   // whether it's the page about the proxy that was asked for
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(code int) {
	if code < 200 { // which httputil.ReverseProxy passes on by itself, and then clears the header
		withhold(w.Header())
	} else if w.code == 0 {
		w.code = code
		if w.varies {
			w.Header().Add("Vary", "Origin")
		}
		if w.origin != "" {
			w.Header().Set("Access-Control-Allow-Origin", w.origin)
			w.Header().Set("Access-Control-Expose-Headers", "*")
		}
	}
	w.ResponseWriter.WriteHeader(code)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.code == 0 {
		w.WriteHeader(http.StatusOK)
	}
	return w.ResponseWriter.Write(b)
}

// Hijack implements http.Hijacker. ReverseProxy does that to switch protocols.
func (w *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil {
		w.code = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// status returns the status to count the request under.
func (w *recorder) status(ctx context.Context, cut bool) int {
	switch {
	case cut && ctx.Err() != nil:
		return statusGone
	case cut:
		return http.StatusBadGateway
	case w.code == 0:
		return http.StatusOK // as net/http does
	}
	return w.code
}
