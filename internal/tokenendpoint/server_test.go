package tokenendpoint_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
)

// A memoryListener listens in this process, so that it can be used in a bubble.
type memoryListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (ln *memoryListener) Accept() (net.Conn, error) {
	select {
	case conn := <-ln.conns:
		return conn, nil
	case <-ln.closed:
		return nil, net.ErrClosed
	}
}

func (ln *memoryListener) Close() error   { close(ln.closed); return nil }
func (ln *memoryListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A server serves a rig's endpoint.
type server struct {
	ln    *memoryListener
	stop  context.CancelFunc
	ended chan error
}

func startServer(t *testing.T, r *rig) *server {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s := &server{&memoryListener{make(chan net.Conn), make(chan struct{})}, stop, make(chan error, 1)}
	go func() {
		s.ended <- r.endpoint.Serve(ctx, s.ln)
		close(s.ended)
	}()
	t.Cleanup(func() {
		stop()
		for err := range s.ended {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

// dial connects to the server.
func (s *server) dial() net.Conn {
	client, server := net.Pipe()
	s.ln.conns <- server
	return client
}

// do sends bytes and returns the answer with its body, nil if the connection is closed instead.
func (s *server) do(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	conn := s.dial()
	defer conn.Close()
	go io.WriteString(conn, request) // which the server may not read to its end
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil, ""
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	resp.Body.Close()
	return resp, string(body)
}

// request is a token request with a form.
func request(form string) string {
	return fmt.Sprintf("POST /token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", host, len(form), form)
}

func contextThatEnded() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx, cancel
}
