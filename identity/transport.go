package identity

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
)

// RoundTripper returns a transport that answers every request itself, for any host, in the goroutine of the caller and
// without a socket. To a client it looks like [http.Transport]: a cut answer ends in [io.ErrUnexpectedEOF], a dropped
// connection is an error, a request whose context ends returns that context's cause.
//
// Nothing runs on after RoundTrip has returned, so it works in a [testing/synctest] bubble. Answers are held in memory.
func (s *Server) RoundTripper() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.URL == nil {
		return nil, errors.New("request without a URL")
	}
	ctx := req.Context()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	rec := newRecorder()
	aborted := t.serve(rec, serverRequest(req))
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if aborted && rec.status == 0 {
		return nil, io.EOF
	}
	return rec.response(req, aborted), nil
}

// serve runs the handler and reports whether it gave up, as net/http's server lets it.
func (t roundTripper) serve(w http.ResponseWriter, r *http.Request) (aborted bool) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			aborted = true
		default:
			panic(v)
		}
	}()
	t.handler.ServeHTTP(w, r)
	return false
}

// serverRequest returns what a server would have read off the wire.
func serverRequest(req *http.Request) *http.Request {
	r := req.Clone(req.Context())
	r.Method = cmp.Or(req.Method, http.MethodGet)
	r.Host = cmp.Or(req.Host, req.URL.Host)
	r.RequestURI = req.URL.RequestURI()
	r.RemoteAddr = "127.0.0.1:0"
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	if req.URL.Scheme == "https" {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true}
	}
	r.URL.Scheme, r.URL.Host, r.URL.User = "", "", nil
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	return r
}

// recorder is a ResponseWriter that keeps the answer.
type recorder struct {
	header http.Header
	sent   http.Header // header as it was when the status was written
	status int         // 0 until then
	body   bytes.Buffer
}

func newRecorder() *recorder { return &recorder{header: make(http.Header)} }

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status, r.sent = status, r.header.Clone()
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(p)
}

// Flush implements [http.Flusher]: the client gets the answer after the handler has returned.
func (r *recorder) Flush() { r.WriteHeader(http.StatusOK) }

func (r *recorder) response(req *http.Request, aborted bool) *http.Response {
	r.WriteHeader(http.StatusOK)
	resp := &http.Response{
		Status:     fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)),
		StatusCode: r.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        maps.Clone(r.sent),
		ContentLength: int64(r.body.Len()),
		Body:          http.NoBody,
		Request:       req,
	}
	if n, err := strconv.ParseInt(r.sent.Get("Content-Length"), 10, 64); err == nil {
		resp.ContentLength = n
	}
	if req.Method == http.MethodHead || r.status == http.StatusNoContent || r.status == http.StatusNotModified {
		return resp
	}
	resp.Header.Set("Content-Length", strconv.FormatInt(resp.ContentLength, 10))
	end := io.EOF
	if aborted || int64(r.body.Len()) < resp.ContentLength {
		end = io.ErrUnexpectedEOF
	}
	ctx := req.Context()
	resp.Body = &body{data: r.body.Bytes(), end: end, gone: func() error { return context.Cause(ctx) }}
	return resp
}

// body is a response's body.
type body struct {
	data []byte
	end  error        // what follows the data
	gone func() error // why the request is over, if it is
}

func (b *body) Read(p []byte) (int, error) {
	if err := b.gone(); err != nil {
		return 0, err
	}
	if len(b.data) == 0 {
		return 0, b.end
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func (b *body) Close() error {
	b.data, b.end = nil, http.ErrBodyReadAfterClose
	return nil
}
