package apiproxy_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/internal/testkit"
)

// A node is a proxy in a loop, with a listener made first so that its address is known.
type node struct {
	listener net.Listener
	addr     string
	log      testkit.Output

	mu      sync.Mutex // guards the fields below
	handled int
	most    int // descriptors that were open when a request had been handled
}

func newNode(t *testing.T) *node {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &node{listener: ln, addr: ln.Addr().String()}
}

// serve serves a proxy to an upstream, and returns it.
func (n *node) serve(t *testing.T, upstream string) *apiproxy.Proxy {
	t.Helper()
	proxy, err := apiproxy.New(newSession(t, newService(t), secret), apiproxy.Options{
		Upstream: upstream, AllowHosts: []string{"proxy.example"}, Logger: slog.New(slog.NewTextHandler(&n.log, nil)),
		OnRequest: func(int, time.Duration) {
			open := descriptors(t)
			n.mu.Lock()
			defer n.mu.Unlock()
			n.handled++
			n.most = max(n.most, open)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- proxy.Serve(ctx, n.listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return proxy
}

// counts returns how many requests were handled, and the most descriptors that were open.
func (n *node) counts() (handled, most int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.handled, n.most
}

// descriptors returns how many files this process has open, 0 where that can't be told.
func descriptors(t *testing.T) int {
	if runtime.GOOS != "linux" {
		return 0
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Error(err)
	}
	return len(entries)
}

// A request that comes back to the proxy goes no further, under whatever name it comes, and
// takes no descriptors that aren't given back.
func TestLoop(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]"} {
		t.Run(host, func(t *testing.T) {
			n := newNode(t)
			_, port, err := net.SplitHostPort(n.addr)
			if err != nil {
				t.Fatal(err)
			}
			n.serve(t, "http://"+host+":"+port)
			r := &rig{addr: n.addr, url: "http://" + n.addr, client: &http.Client{Transport: &http.Transport{}}}
			defer r.client.CloseIdleConnections()
			before := descriptors(t)
			const many = 100
			for range many {
				resp, body := r.get(t, "/x")
				wantError(t, resp, body, http.StatusLoopDetected, "PROXY_LOOP")
			}
			handled, most := n.counts()
			if handled != 2*many {
				t.Errorf("%d requests were handled, want %d", handled, 2*many)
			}
			if most > before+20 {
				t.Errorf("%d descriptors were open, %d before", most, before)
			}
			if warned := strings.Count(n.log.String(), "back to this proxy"); warned != 1 {
				t.Errorf("warned %d times: %s", warned, n.log.String())
			}
		})
	}
}

// What comes back isn't the page about the proxy either.
func TestLoopAtThePage(t *testing.T) {
	n := newNode(t)
	n.serve(t, "http://"+n.addr)
	r := &rig{addr: n.addr, url: "http://" + n.addr, client: &http.Client{Transport: &http.Transport{}}}
	defer r.client.CloseIdleConnections()
	resp, body := r.get(t, "/?", "Accept: text/html")
	wantError(t, resp, body, http.StatusLoopDetected, "PROXY_LOOP")
}

// The loop may lead through another proxy, and a request that is marked already is marked
// once more.
func TestLoopOfTwo(t *testing.T) {
	a, b := newNode(t), newNode(t)
	a.serve(t, "http://"+b.addr)
	b.serve(t, "http://"+a.addr)
	r := &rig{addr: a.addr, url: "http://" + a.addr, client: &http.Client{Transport: &http.Transport{}}}
	defer r.client.CloseIdleConnections()
	resp, body := r.get(t, "/x", "CDN-Loop: cdn.example; trace=1")
	wantError(t, resp, body, http.StatusLoopDetected, "PROXY_LOOP")
	inA, _ := a.counts()
	inB, _ := b.counts()
	if inA != 2 || inB != 1 {
		t.Errorf("%d and %d requests were handled, want 2 and 1", inA, inB)
	}
}

// Proxies in a row are no loop, and the upstream sees every mark.
func TestProxiesInARow(t *testing.T) {
	up := &seen{}
	far := newRig(t, up, apiproxy.Options{})
	near := newNode(t)
	near.serve(t, far.url)
	r := &rig{addr: near.addr, url: "http://" + near.addr, client: &http.Client{Transport: &http.Transport{}}}
	defer r.client.CloseIdleConnections()
	resp, _ := r.get(t, "/x", "CDN-Loop: cdn.example; trace=1")
	wantStatus(t, resp, http.StatusOK)
	marks := up.last(t).Header.Values("Cdn-Loop")
	if len(marks) != 3 || marks[0] != "cdn.example; trace=1" || marks[1] == marks[2] {
		t.Errorf("the upstream got the marks %q", marks)
	}
	for _, mark := range marks[1:] {
		if !strings.HasPrefix(mark, "shsession-") || strings.ContainsAny(mark, " ,;") {
			t.Errorf("%q is no cdn-id", mark)
		}
	}
}
