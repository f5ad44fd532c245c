package apiproxy_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/apiproxy"
)

// wantError checks an answer that the proxy speaks of itself.
func wantError(t *testing.T, resp *http.Response, body string, status int, code string) {
	t.Helper()
	var e struct {
		Status                int
		Reason, Message, Code string
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatalf("%q: %v", body, err)
	}
	if resp.StatusCode != status || e.Status != status || e.Code != code || e.Reason != http.StatusText(status) || e.Message == "" {
		t.Errorf("got %d, %s; want %d, %s", resp.StatusCode, body, status, code)
	}
	if resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", resp.Header)
	}
	if strings.Contains(body, secret) || strings.Contains(body, "eyJ") {
		t.Errorf("the answer has a secret: %s", body)
	}
}

func wantRetryAfter(t *testing.T, resp *http.Response) {
	t.Helper()
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err != nil || n < 1 || n > 300 {
		t.Errorf("Retry-After is %q", resp.Header.Get("Retry-After"))
	}
}

func TestNoToken(t *testing.T) {
	up := &seen{}
	for _, fault := range []string{"503", "drop", "html:429"} {
		r := newRig(t, up, apiproxy.Options{AllowOrigins: []string{"http://app.example"}})
		r.service.Inject(identity.MustParseFault(fault), 0)
		resp, body := r.get(t, "/x", "Origin: http://app.example")
		wantError(t, resp, body, 503, "PROXY_NO_TOKEN")
		wantRetryAfter(t, resp)
		if resp.Header.Get("Access-Control-Allow-Origin") != "http://app.example" {
			t.Error("an allowed page can't read why")
		}
	}
	if up.count() != 0 {
		t.Error("the upstream got a request without a token")
	}
}

func TestRefusedCredentials(t *testing.T) {
	up := &seen{}
	upstream := httptest.NewServer(up)
	defer upstream.Close()
	r := &rig{service: newService(t)}
	r.start(t, newSession(t, r.service, "the-wrong-secret"), apiproxy.Options{Upstream: upstream.URL})
	resp, body := r.get(t, "/x")
	wantError(t, resp, body, 502, "PROXY_TOKEN_REFUSED")
	wantRetryAfter(t, resp)
	if strings.Contains(body, "the-wrong-secret") || up.count() != 0 {
		t.Errorf("%d requests reached the upstream, and the answer is %s", up.count(), body)
	}
	_, page := r.get(t, "/", "Accept: text/html")
	if !strings.Contains(page, "failed") || strings.Contains(page, "the-wrong-secret") {
		t.Errorf("the page is %s", page)
	}
}

func TestExpiredToken(t *testing.T) {
	token, err := shsession.ParseToken([]byte(`{"access_token":"eyJ-an-old-token","expires_at":1}`))
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{service: newService(t)}
	r.start(t, shsession.FromToken(token), apiproxy.Options{Upstream: "http://127.0.0.1:1"})
	resp, body := r.get(t, "/x")
	wantError(t, resp, body, 503, "PROXY_NO_TOKEN")
	wantRetryAfter(t, resp)
}

func TestUpstreamDown(t *testing.T) {
	r := newRig(t, nil, apiproxy.Options{})
	r.upstream.Close()
	resp, body := r.get(t, "/x")
	wantError(t, resp, body, 502, "PROXY_UPSTREAM")
	if !strings.Contains(r.log.String(), "level=WARN") {
		t.Errorf("nothing was logged but %s", r.log.String())
	}
}

// The log has the first of many failures, and their end.
func TestOutagesAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		service, down := newService(t), false
		base := roundTripper(func(r *http.Request) (*http.Response, error) {
			if down {
				return nil, errors.New("down")
			}
			return respond(r, http.NoBody), nil
		})
		proxy, err := apiproxy.New(newSession(t, service, secret), apiproxy.Options{
			Upstream: "https://api.example", Base: base, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		get := func(times int) {
			for range times {
				r := httptest.NewRequest(http.MethodGet, "/x", nil)
				r.Host = "localhost"
				proxy.ServeHTTP(httptest.NewRecorder(), r)
			}
		}
		for _, c := range []struct {
			cause, warning string
			begin, end     func()
		}{
			{"no token", "there is no token",
				func() { service.Inject(identity.MustParseFault("503"), 0) }, service.Clear},
			{"no upstream", "the upstream can't be reached", func() { down = true }, func() { down = false }},
		} {
			log.Reset()
			c.begin()
			get(50)
			c.end()
			time.Sleep(time.Hour) // until the session tries again
			get(50)
			if strings.Count(log.String(), c.warning) != 1 || strings.Count(log.String(), "forwarded again\" failed=50") != 1 {
				t.Errorf("%s: the log is %s", c.cause, log.String())
			}
		}
	})
}

func TestUpstreamTimeout(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer up.Close()
	base := &http.Transport{ResponseHeaderTimeout: 10 * time.Millisecond}
	defer base.CloseIdleConnections()
	r := &rig{service: newService(t)}
	r.start(t, newSession(t, r.service, secret), apiproxy.Options{Upstream: up.URL, Base: base})
	resp, body := r.get(t, "/x")
	wantError(t, resp, body, 504, "PROXY_UPSTREAM_TIMEOUT")
}

// The token isn't sent unencrypted to another machine.
func TestPlainHTTPUpstream(t *testing.T) {
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Error("a request was sent")
		return nil, http.ErrServerClosed
	})
	r := &rig{service: newService(t)}
	r.start(t, newSession(t, r.service, secret), apiproxy.Options{Upstream: "http://api.example", Base: base})
	resp, body := r.get(t, "/x")
	wantError(t, resp, body, 503, "PROXY_NO_TOKEN")
}

func TestBodyBreaksOff(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{})
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
	conn.(*net.TCPConn).CloseWrite()
	if code := r.lastCode(t, 1); code != 400 {
		t.Errorf("it was counted under %d, want 400", code)
	}
	if up.count() != 0 {
		t.Error("half a request reached the upstream")
	}
}
