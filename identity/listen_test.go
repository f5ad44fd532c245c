package identity_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// listen starts s on addr and returns its URL, and the function that stops it and returns what ListenAndServe did.
func listen(t *testing.T, s *identity.Server, addr string) (base string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() { done <- s.ListenAndServe(ctx, addr, func(a net.Addr) { ready <- a }) }()
	t.Cleanup(cancel)
	select {
	case a := <-ready:
		return "http://" + a.String(), func() error { cancel(); return <-done }
	case err := <-done:
		t.Fatal(err)
		return "", nil
	}
}

func TestListenAndServe(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "localhost:0"} {
		s := newService(t, identity.Options{})
		base, stop := listen(t, s.Server, addr)
		client := &http.Client{Transport: &http.Transport{}}
		if resp, body, err := send(t.Context(), client, base); err != nil || resp.StatusCode != 200 {
			t.Errorf("%s: %v %s %v", addr, resp, body, err)
		}
		client.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Errorf("%s: stopped with %v", addr, err)
		}
	}
}

func TestStopEndsHangingRequests(t *testing.T) {
	s := newService(t, identity.Options{})
	base, stop := listen(t, s.Server, "127.0.0.1:0")
	s.Inject(identity.MustParseFault("hang"), 1)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		_, _, err := send(ctx, client, base)
		answered <- err
	}()
	testkit.Eventually(t, "the request arrives", func() bool { return s.Counters().FaultsServed > 0 })
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := <-answered; err == nil || ctx.Err() != nil {
		t.Errorf("the hanging request ended with %v, its context with %v", err, ctx.Err())
	}
}

func TestListenRefusesRemoteAddresses(t *testing.T) {
	s := newService(t, identity.Options{})
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"} {
		err := s.ListenAndServe(t.Context(), addr, func(a net.Addr) { t.Errorf("%s: listens on %v", addr, a) })
		if !errors.Is(err, identity.ErrNotLoopback) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestListenAllowRemote(t *testing.T) {
	s := newService(t, identity.Options{AllowRemote: true})
	_, stop := listen(t, s.Server, ":0")
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestListenOnTakenPort(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s := newService(t, identity.Options{})
	var op *net.OpError
	if err := s.ListenAndServe(t.Context(), ln.Addr().String(), nil); !errors.As(err, &op) {
		t.Errorf("%v", err)
	}
}
