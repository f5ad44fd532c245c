package apiproxy

import (
	"bufio"
	"context"
	"net"
	"net/http"
)

// statusGone is nginx's status for a client that disconnects before its answer.
const statusGone = 499

// A recorder is a ResponseWriter that keeps the status, and lets a page of an allowed origin read
// the answer, from the upstream or from the proxy.
type recorder struct {
	http.ResponseWriter
	code   int    // 0 before there is one
	origin string // the origin that may read the answer, or ""
	varies bool   // whether the answer depends on the page that asks
	isPage bool   // whether the request is for the page about the proxy
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
