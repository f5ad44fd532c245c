package shsession_test

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A goAwayServer speaks HTTP/2 and answers each request with a GOAWAY frame whose last
// stream is 0: no request was processed, so a client may repeat it on a new connection (RFC
// 9113 section 6.8).
type goAwayServer struct {
	url      string
	client   *http.Client // that trusts the server
	requests atomic.Int64
}

func newGoAwayServer(t *testing.T) *goAwayServer {
	t.Helper()
	certified := httptest.NewTLSServer(nil) // for its certificate
	certified.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certified.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	transport := certified.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = true
	g := &goAwayServer{url: "https://" + l.Addr().String(), client: &http.Client{Transport: transport}}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { g.serve(conn) })
		}
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		l.Close()
		serving.Wait()
	})
	return g
}

// serve reads frames (RFC 9113 section 4.1) until the client ends the connection.
func (g *goAwayServer) serve(conn net.Conn) {
	defer conn.Close()
	const headers, settings, goAway, ack = 1, 4, 7, 1
	frame := func(kind, flags byte, payload ...byte) {
		conn.Write(append([]byte{0, 0, byte(len(payload)), kind, flags, 0, 0, 0, 0}, payload...))
	}
	frame(settings, 0)
	r := bufio.NewReader(conn)
	if _, err := r.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
		return
	}
	for {
		var head [9]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return
		}
		length := binary.BigEndian.Uint32(append([]byte{0}, head[:3]...))
		if _, err := r.Discard(int(length)); err != nil {
			return
		}
		switch kind, flags := head[3], head[4]; {
		case kind == settings && flags&ack == 0:
			frame(settings, ack)
		case kind == headers:
			g.requests.Add(1)
			frame(goAway, 0, 0, 0, 0, 0, 0, 0, 0, 0) // last stream 0, NO_ERROR
		}
	}
}

// One attempt to log in is one request with the secret, whatever the transport may repeat.
func TestOneAttemptIsOneRequest(t *testing.T) {
	g := newGoAwayServer(t)
	cfg := configFor(g.client.Transport)
	cfg.TokenURL, cfg.MaxAttempts = g.url+"/oauth/token", 1
	if _, err := newSession(t, cfg).Token(t.Context()); err == nil {
		t.Error("a token of an endpoint that answers nothing")
	}
	if n := g.requests.Load(); n != 1 {
		t.Errorf("one attempt sent %d requests, want 1", n)
	}
}

// A request to the API whose body can't be replayed is sent once too.
func TestABodyIsSentOnce(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	g := newGoAwayServer(t)
	client := &http.Client{Transport: newSession(t, cfg).Transport(g.client.Transport, g.url)}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url, io.NopCloser(strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err == nil {
		resp.Body.Close()
		t.Error("an answer of a server that answers nothing")
	}
	if n := g.requests.Load(); n != 1 {
		t.Errorf("%d requests, want 1: %v", n, err)
	}
}
