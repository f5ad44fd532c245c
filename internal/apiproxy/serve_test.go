package apiproxy_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/internal/serve"
)

func TestListensOnLoopbackAlone(t *testing.T) {
	session := newSession(t, newService(t), secret)
	proxy, err := apiproxy.New(session, apiproxy.Options{Upstream: "https://api.example"})
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		if err := proxy.ListenAndServe(context.Background(), addr, nil); !errors.Is(err, serve.ErrNotLoopback) {
			t.Errorf("%s: got %v, want ErrNotLoopback", addr, err)
		}
	}
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := proxy.Serve(context.Background(), ln); !errors.Is(err, serve.ErrNotLoopback) {
		t.Errorf("got %v, want ErrNotLoopback", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is still open: %v", err)
	}
	if err := proxy.ListenAndServe(context.Background(), "127.0.0.1:99999", nil); err == nil {
		t.Error("port 99999 is no error")
	}
}

func TestAllowRemote(t *testing.T) {
	proxy, err := apiproxy.New(newSession(t, newService(t), secret), apiproxy.Options{Upstream: "https://api.example", AllowRemote: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for _, addr := range []string{"0.0.0.0:0", "localhost:0"} {
		ctx, cancel := context.WithCancel(ctx)
		if err := proxy.ListenAndServe(ctx, addr, func(net.Addr) { cancel() }); err != nil {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestOversizeHeaders(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{})
	wantStatus(t, r.raw(t, "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: "+strings.Repeat("x", 60<<10)+"\r\n\r\n"), 200)
	wantStatus(t, r.raw(t, "GET /x HTTP/1.1\r\nHost: localhost\r\nX: "+strings.Repeat("x", 80<<10)+"\r\n\r\n"), 431)
	if up.count() != 1 {
		t.Errorf("%d requests reached the upstream, want 1", up.count())
	}
}

// A pipeListener is a listener in memory, for time to pass at once.
type pipeListener struct {
	conns chan net.Conn
	once  sync.Once
	ended chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), ended: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.ended) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// inBubble serves a proxy on a pipeListener in a synctest bubble. The upstream is in memory too.
func inBubble(t *testing.T, answer roundTripper, test func(t *testing.T, l *pipeListener, stop func() error)) {
	synctest.Test(t, func(t *testing.T) {
		proxy, err := apiproxy.New(newSession(t, newService(t), secret), apiproxy.Options{
			Upstream: "https://api.example", Base: answer, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		l := newPipeListener()
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- proxy.Serve(ctx, l) }()
		stop := sync.OnceValue(func() error {
			cancel()
			return <-ended
		})
		test(t, l, stop)
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func respond(r *http.Request, body io.ReadCloser) *http.Response {
	return &http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: body, ContentLength: -1, Request: r}
}

// until reads until the connection is closed and returns after how long that was.
func until(t *testing.T, c net.Conn) time.Duration {
	t.Helper()
	start := time.Now()
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Error(err)
	}
	return time.Since(start)
}

// A client that sends its header bit by bit is given ten seconds for all of it.
func TestSlowLoris(t *testing.T) {
	inBubble(t, nil, func(t *testing.T, l *pipeListener, _ func() error) {
		c := l.dial()
		var dripping sync.WaitGroup
		defer dripping.Wait()
		defer c.Close()
		dripping.Go(func() {
			io.WriteString(c, "GET /x HTTP/1.1\r\nHost: localhost\r\n")
			for { // until it's closed
				if _, err := io.WriteString(c, "X: y\r\n"); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		if took := until(t, c); took < 9*time.Second || took > 11*time.Second {
			t.Errorf("it was cut off after %v", took)
		}
	})
}

func TestIdleConnections(t *testing.T) {
	answer := func(r *http.Request) (*http.Response, error) { return respond(r, http.NoBody), nil }
	inBubble(t, answer, func(t *testing.T, l *pipeListener, _ func() error) {
		c := l.dial()
		defer c.Close()
		go io.WriteString(c, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if took := until(t, c); took < time.Minute || took > 3*time.Minute {
			t.Errorf("it was closed after %v", took)
		}
	})
}

// Requests under way have their time to finish, and no more.
func TestDrain(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		whole bool
	}{
		"in time": {9 * time.Second, true},
		"late":    {time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			answer := func(r *http.Request) (*http.Response, error) {
				select {
				case <-time.After(c.takes):
					return respond(r, io.NopCloser(strings.NewReader("whole"))), nil
				case <-r.Context().Done():
					return nil, r.Context().Err()
				}
			}
			inBubble(t, answer, func(t *testing.T, l *pipeListener, stop func() error) {
				conn := l.dial()
				defer conn.Close()
				go io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
				synctest.Wait()
				start := time.Now()
				stopped := make(chan error, 1)
				go func() { stopped <- stop() }()
				got, _ := io.ReadAll(conn)
				if whole := strings.Contains(string(got), "whole"); whole != c.whole {
					t.Errorf("got %q", got)
				}
				if err := <-stopped; err != nil {
					t.Error(err)
				}
				if took := time.Since(start); took > apiproxy.DefaultDrainTimeout+time.Second {
					t.Errorf("it took %v to stop", took)
				}
			})
		})
	}
}

// An upgraded connection has no end of its own, so it's cut.
func TestDrainCutsWebSockets(t *testing.T) {
	r := newRig(t, http.HandlerFunc(serveWebSocket), apiproxy.Options{})
	conn, back := r.dialWebSocket(t)
	io.WriteString(conn, "a\n")
	if got, err := back.ReadString('\n'); got != "a\n" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if got, err := back.ReadByte(); err == nil {
		t.Errorf("byte %q came after the end", got)
	}
	if code := r.lastCode(t, 1); code != 101 {
		t.Errorf("it was counted under %d, want 101", code)
	}
}

// Connections without a request don't delay the end.
func TestDrainWithIdleConnections(t *testing.T) {
	r := newRig(t, &seen{}, apiproxy.Options{})
	r.get(t, "/x")
	start := time.Now()
	if err := r.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if conn, err := net.Dial("tcp", r.addr); err == nil {
		conn.Close()
		t.Error("it still listens")
	}
}

func TestServeReturnsTheListenersError(t *testing.T) {
	r := newRig(t, &seen{}, apiproxy.Options{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := r.proxy.Serve(context.Background(), ln); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want net.ErrClosed", err)
	}
}

// One connection serves many requests, the refused ones too.
func TestKeepsConnections(t *testing.T) {
	r := newRig(t, &seen{}, apiproxy.Options{})
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	back := bufio.NewReader(conn)
	for _, path := range []string{"/x", "//x", "/y"} {
		io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
		resp, err := http.ReadResponse(back, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
}
