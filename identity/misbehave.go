package identity

import (
	"bytes"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// oversize is well over the 1 MiB that a client should read of an answer.
const oversize = 4 << 20

// The two places where faults are served.
const (
	atToken = false
	atAPI   = true
)

// endpoint is a handler that takes part in some faults itself.
type endpoint func(http.ResponseWriter, *http.Request, Fault)

// faulty serves next, or the fault that is due.
func (s *Server) faulty(api bool, next endpoint) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if api {
			s.tally.add(func(c *Counters) { c.APIRequests++ })
		}
		f, ok := s.faults.take(api)
		if !ok {
			next(w, r, Fault{})
			return
		}
		s.tally.add(func(c *Counters) {
			c.FaultsServed++
			if api {
				c.APIFaults++
			}
		})
		f.serve(w, r, next)
	})
}

// serve answers r as f wants it. It panics with [http.ErrAbortHandler] to cut the connection.
func (f Fault) serve(w http.ResponseWriter, r *http.Request, next endpoint) {
	switch f.kind {
	case faultStatus:
		f.serveStatus(w)
	case faultHTML:
		serveHTML(w, f.status)
	case faultRedirect:
		w.Header().Set("Location", f.arg)
		w.WriteHeader(f.status)
	case faultMalformed, faultOversized, faultCut:
		f.spoil(w, r, next)
	case faultSlow:
		f.serveSlow(w, r, next)
	case faultDrop:
		panic(http.ErrAbortHandler)
	case faultHang:
		drain(w, r)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	default:
		next(w, r, f)
	}
}

func (f Fault) serveStatus(w http.ResponseWriter) {
	if after, ok := strings.CutPrefix(f.arg, retryAfter); ok {
		w.Header().Set("Retry-After", after)
	}
	e := apiError{Status: f.status, Reason: http.StatusText(f.status), Message: "This fault was asked for", Code: "COMMON_EXCEPTION"}
	if f.status == http.StatusTooManyRequests {
		e.Message, e.Code = "You have exceeded your rate limit", "RATE_LIMIT_EXCEEDED"
	}
	writeJSON(w, f.status, e)
}

func serveHTML(w http.ResponseWriter, status int) {
	title := html.EscapeString(strconv.Itoa(status) + " " + http.StatusText(status))
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<html>\r\n<head><title>"+title+"</title></head>\r\n"+
		"<body>\r\n<center><h1>"+title+"</h1></center>\r\n</body>\r\n</html>\r\n")
}

// spoil takes the right answer and breaks it.
func (f Fault) spoil(w http.ResponseWriter, r *http.Request, next endpoint) {
	rec := newRecorder()
	next(rec, r, Fault{})
	rec.WriteHeader(http.StatusOK) // if next wrote nothing
	header, body := w.Header(), rec.body.Bytes()
	for name, values := range rec.sent {
		header[name] = values
	}
	send := body
	switch f.kind {
	case faultMalformed:
		body = body[:len(body)/2]
		send = body
	case faultOversized:
		padding := bytes.Repeat([]byte("x"), oversize)
		body = bytes.Join([][]byte{[]byte(`{"padding":"`), padding, []byte(`",`), bytes.TrimPrefix(body, []byte("{"))}, nil)
		send = body
	case faultCut:
		send = body[:len(body)/2]
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(rec.status)
	_, _ = w.Write(send)
	if f.kind == faultCut {
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}

func (f Fault) serveSlow(w http.ResponseWriter, r *http.Request, next endpoint) {
	delay(w, r, f.wait)
	next(w, r, Fault{})
}

// delay waits, or gives up when the client has gone.
func delay(w http.ResponseWriter, r *http.Request, d time.Duration) {
	drain(w, r)
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// drain reads the request's body and puts a copy in its place: net/http notices that a client has gone, and ends
// r.Context(), only once the body was read.
func drain(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return // the endpoint meets the same error
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
}
