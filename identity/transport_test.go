package identity_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/shsession/shsession/identity"
)

type closeCounter struct {
	io.Reader
	closed int
}

func (c *closeCounter) Close() error {
	c.closed++
	return nil
}

func TestRoundTripKeepsTheContract(t *testing.T) {
	s := newService(t, identity.Options{})
	body := &closeCounter{Reader: strings.NewReader(credentials().Encode())}
	req := s.request(http.MethodPost, tokenPath, "")
	req.Body = body
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	before := req.URL.String()

	resp, err := s.RoundTripper().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if body.closed != 1 {
		t.Errorf("request body closed %d times", body.closed)
	}
	if req.URL.String() != before || len(req.Header) != 1 || req.RequestURI != "" || req.Body != body {
		t.Error("the request was changed")
	}
	if resp.Request != req || resp.Status != "200 OK" || resp.Proto != "HTTP/1.1" {
		t.Errorf("response %+v", resp)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil || int64(len(b)) != resp.ContentLength {
		t.Errorf("read %d of %d bytes, %v", len(b), resp.ContentLength, err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := resp.Body.Read(make([]byte, 1)); !errors.Is(err, http.ErrBodyReadAfterClose) {
		t.Errorf("read after Close: %v", err)
	}
}

func TestRoundTripWithoutBody(t *testing.T) {
	s := newService(t, identity.Options{})
	req := s.request("", "/counters", "")
	req.Body, req.Header = nil, nil
	resp, err := s.RoundTripper().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Errorf("status %d", resp.StatusCode)
	}
}

func TestRoundTripEndedContext(t *testing.T) {
	s := newService(t, identity.Options{})
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	resp, err := s.client.Do(s.request(http.MethodGet, "/counters", "").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	cancel(cause)
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, cause) {
		t.Errorf("reading on: %v", err)
	}
	if _, err := s.RoundTripper().RoundTrip(s.request(http.MethodGet, "/", "").WithContext(ctx)); !errors.Is(err, cause) {
		t.Errorf("sending: %v", err)
	}
}

func TestSchemeAndHostReachTheIssuer(t *testing.T) {
	for _, tt := range []struct{ base, scheme, want string }{
		{"", "http", "http://identity.test/auth/realms/main"},
		{"", "https", "https://identity.test/auth/realms/main"},
		{"https://public.test:8443/", "http", "https://public.test:8443/auth/realms/main"},
	} {
		s := newService(t, identity.Options{BaseURL: tt.base})
		req := s.request(http.MethodGet, mainRealm+"/.well-known/openid-configuration", "")
		req.URL.Scheme = tt.scheme
		if got := s.do(req).decode(t)["issuer"]; got != tt.want {
			t.Errorf("%s, base %q: issuer %v, want %s", tt.scheme, tt.base, got, tt.want)
		}
	}
}

func TestUnknownPath(t *testing.T) {
	s := newService(t, identity.Options{})
	if r := s.get(mainRealm+"/nope", ""); r.status != 404 || r.body != `{"error":"HTTP 404 Not Found"}` {
		t.Errorf("%d %s", r.status, r.body)
	}
}
