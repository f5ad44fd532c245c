package serve_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/internal/serve"
)

func TestListen(t *testing.T) {
	for _, test := range []struct {
		addr        string
		allowRemote bool
		refused     bool
	}{
		{"127.0.0.1:0", false, false},
		{"localhost:0", false, false},
		{"[::ffff:127.0.0.1]:0", false, false},
		{"0.0.0.0:0", false, true},
		{"[::]:0", false, true},
		{":0", false, true},
		{"192.0.2.1:0", false, true},
		{"[::ffff:192.0.2.1]:0", false, true},
		{":0", true, false},
	} {
		ln, err := serve.Listen(t.Context(), test.addr, test.allowRemote)
		if err == nil {
			ln.Close()
		}
		if errors.Is(err, serve.ErrNotLoopback) != test.refused || !test.refused && err != nil {
			t.Errorf("Listen(%q, %t): %v", test.addr, test.allowRemote, err)
		}
	}
}

// What is wrong with an address is an error that tells the address.
func TestListenMistakes(t *testing.T) {
	for _, addr := range []string{"8081", "", "127.0.0.1:99999"} {
		var address *net.AddrError
		if _, err := serve.Listen(t.Context(), addr, false); !errors.As(err, &address) {
			t.Errorf("Listen(%q): %v", addr, err)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		addr net.Addr
		ok   bool
	}{
		{&net.TCPAddr{IP: net.IPv4(127, 1, 2, 3)}, true},
		{&net.TCPAddr{IP: net.IPv6loopback}, true},
		{&net.TCPAddr{IP: net.IPv4zero}, false},
		{&net.TCPAddr{}, false},
		{&net.UnixAddr{Name: "socket"}, true},
	} {
		if err := serve.Check(test.addr); (err == nil) != test.ok || err != nil && !errors.Is(err, serve.ErrNotLoopback) {
			t.Errorf("Check(%v): %v", test.addr, err)
		}
	}
}

// A pipe listens for one connection, in memory.
type pipe struct {
	conn   chan net.Conn
	closed chan struct{}
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conn:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error   { close(p.closed); return nil }
func (p *pipe) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// A request under way when ctx ends is finished if it ends in time, and cut if it doesn't.
func TestUntil(t *testing.T) {
	for _, test := range []struct {
		takes   time.Duration
		cut     bool
		answers bool
	}{{0, false, true}, {time.Second, false, true}, {3 * time.Second, true, false}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, end := context.WithCancel(t.Context())
			client, server := net.Pipe()
			ln := &pipe{make(chan net.Conn, 1), make(chan struct{})}
			ln.conn <- server
			handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				end()
				select {
				case <-time.After(test.takes):
				case <-r.Context().Done():
				}
			})
			answered := make(chan bool, 1)
			go func() {
				_, err := io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
				answer, _ := io.ReadAll(client)
				answered <- err == nil && len(answer) > 0
			}()
			cut, err := serve.Until(ctx, &http.Server{Handler: handler}, ln, 2*time.Second)
			if cut != test.cut || err != nil {
				t.Errorf("a request of %v: cut is %t, error %v", test.takes, cut, err)
			}
			if got := <-answered; got != test.answers {
				t.Errorf("a request of %v: answered is %t", test.takes, got)
			}
		})
	}
}

// A listener that fails is an error, not an end.
func TestUntilFails(t *testing.T) {
	ln := failing{&pipe{closed: make(chan struct{})}}
	if _, err := serve.Until(t.Context(), &http.Server{}, ln, time.Second); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ *pipe }

func (failing) Accept() (net.Conn, error) { return nil, net.ErrClosed }
