package redisstore_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/shsession/shsession"
)

// A proxy stands between a Store and Redis, so that the way can be cut.
type proxy struct {
	addr   string
	target string

	mu    sync.Mutex // guards the fields below
	isCut bool
	conns []net.Conn
}

// startProxy starts a proxy that ends with the test.
func startProxy(t *testing.T, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), target: target}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.carry(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cut()
		running.Wait()
	})
	return p
}

func (p *proxy) carry(conn net.Conn) {
	defer conn.Close()
	server, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(conn, server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { io.Copy(server, conn); server.Close() })
	both.Go(func() { io.Copy(conn, server); conn.Close() })
	both.Wait()
}

// keep notes the connections, or closes them if the way is cut.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isCut {
		for _, c := range conns {
			c.Close()
		}
		return false
	}
	p.conns = append(p.conns, conns...)
	return true
}

// cut ends every connection, and every new one at once.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = false
}

// newService starts a token endpoint that counts its logins, and returns a Config for it.
func newService(t *testing.T, logins *atomic.Int64) shsession.Config {
	t.Helper()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token": "token-%d", "expires_in": 3600, "token_type": "Bearer"}`, logins.Add(1))
	}))
	t.Cleanup(endpoint.Close)
	return shsession.Config{
		ClientID:     "client",
		ClientSecret: shsession.NewSecret("client-secret"),
		BaseURL:      endpoint.URL,
		TokenURL:     endpoint.URL,
	}
}
