package apiproxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/internal/testkit"
)

func TestMain(m *testing.M) { testkit.VerifyTestMain(m) }

const secret = "the-client-secret-itself"

// newService returns an identity service that knows one client.
func newService(t testing.TB) *identity.Server {
	t.Helper()
	return testkit.NewService(t, identity.Options{Clients: []identity.Client{{ID: "client", Secret: shsession.NewSecret(secret)}}})
}

// newSession returns a session of a client of the service, which tries once.
func newSession(t testing.TB, service *identity.Server, clientSecret string) *shsession.Session {
	t.Helper()
	s, err := shsession.New(shsession.Config{
		ClientID: "client", ClientSecret: shsession.NewSecret(clientSecret), MaxAttempts: 1,
		TokenURL: "https://identity.test/oauth/token", HTTPClient: &http.Client{Transport: service.RoundTripper()},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A rig is a proxy at work between a client and an upstream.
type rig struct {
	service  *identity.Server
	upstream *httptest.Server
	proxy    *apiproxy.Proxy
	addr     string // the proxy's
	url      string // the same as a URL
	client   *http.Client
	stop     func() error // ends the proxy and returns what Serve did

	log testkit.Output

	mu    sync.Mutex // guards codes
	codes []int      // of the requests that have ended
}

// newRig starts a proxy to an upstream that is handler, or the identity service's API if that is nil.
func newRig(t testing.TB, handler http.Handler, o apiproxy.Options) *rig {
	t.Helper()
	r := &rig{service: newService(t)}
	if handler == nil {
		handler = r.service
	}
	r.upstream = httptest.NewServer(handler)
	t.Cleanup(r.upstream.Close)
	o.Upstream = r.upstream.URL + o.Upstream
	r.start(t, newSession(t, r.service, secret), o)
	return r
}

// start starts the proxy.
func (r *rig) start(t testing.TB, session *shsession.Session, o apiproxy.Options) {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.OnRequest = func(code int, took time.Duration) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.codes = append(r.codes, code)
	}
	var err error
	if r.proxy, err = apiproxy.New(session, o); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	ready := make(chan net.Addr, 1)
	go func() { ended <- r.proxy.ListenAndServe(ctx, "127.0.0.1:0", func(a net.Addr) { ready <- a }) }()
	select {
	case a := <-ready:
		r.addr = a.String()
	case err := <-ended:
		t.Fatal(err)
	}
	r.url = "http://" + r.addr
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 100}
	r.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r.stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if log := r.log.String(); strings.Contains(log, secret) || strings.Contains(log, "eyJ") {
			t.Errorf("the log has a secret: %s", log)
		}
	})
}

// counted returns the statuses of the requests that have been counted.
func (r *rig) counted() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.codes
}

// lastCode waits until n requests have ended and returns the last one's status.
func (r *rig) lastCode(t testing.TB, n int) int {
	t.Helper()
	testkit.Eventually(t, fmt.Sprintf("%d requests end", n), func() bool { return len(r.counted()) >= n })
	return r.counted()[n-1]
}

// request returns a request to the proxy. Headers are "Name: value".
func (r *rig) request(t testing.TB, method, path string, body io.Reader, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, r.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			req.Host = value
		} else {
			req.Header.Add(name, value)
		}
	}
	return req
}

// do sends a request and returns the answer with its body read.
func (r *rig) do(t testing.TB, req *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func (r *rig) get(t testing.TB, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return r.do(t, r.request(t, "GET", path, nil, headers...))
}

// raw sends bytes to the proxy and returns the answer that comes back, nil if the connection is closed.
func (r *rig) raw(t testing.TB, request string) *http.Response {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Logf("while sending: %v", err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return nil
	}
	resp.Body.Close()
	return resp
}

// seen is an upstream that remembers the requests it gets and answers 200, or as it's told.
type seen struct {
	answer http.HandlerFunc

	mu       sync.Mutex // guards requests
	requests []*http.Request
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	s.mu.Unlock()
	if s.answer != nil {
		s.answer(w, r)
	}
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *seen) last(t testing.TB) *http.Request {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.requests) == 0 {
		t.Fatal("no request reached the upstream")
	}
	return s.requests[len(s.requests)-1]
}

func wantStatus(t testing.TB, resp *http.Response, want int) {
	t.Helper()
	if resp == nil {
		t.Fatalf("no answer, want %d", want)
	}
	if resp.StatusCode != want {
		t.Errorf("status %d, want %d", resp.StatusCode, want)
	}
}

// get1 is a raw GET request for a target with a Host.
func get1(target, host string) string {
	return fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", target, host)
}
