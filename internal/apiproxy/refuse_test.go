package apiproxy_test

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/apiproxy"
)

// Whatever the request's target, the token goes to the upstream and below its base URL alone.
func TestTargets(t *testing.T) {
	other := &seen{}
	otherServer := httptest.NewServer(other)
	defer otherServer.Close()
	otherHost := strings.TrimPrefix(otherServer.URL, "http://")
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{Upstream: "/base"})
	for target, want := range map[string]int{
		"/x":                        200,
		"/x/..":                     400,
		"/../x":                     400,
		"/..":                       400,
		"/./x":                      400,
		"/%2e%2e/x":                 400,
		"/%2E./x":                   400,
		"/a%2f..%2f..%2fx":          400,
		"/..%2fx":                   400,
		"/..%5cx":                   400,
		`/..\x`:                     400,
		"/%252e%252e/x":             400,
		"/%25252e%25252e/x":         400,
		"/..;/x":                    400,
		"/%2e%2e%3bv=1/x":           400,
		"//" + otherHost + "/x":     400,
		"///" + otherHost + "/x":    400,
		"/%2f" + otherHost + "/x":   400,
		"/%5c" + otherHost + "/x":   400,
		`/\` + otherHost + "/x":     400,
		"http://" + otherHost + "/": 400,
		"http://" + r.addr + "/x":   400,
		r.upstream.URL + "/base/x":  400,
		"*":                         400,
		otherHost:                   400,
		"@" + otherHost + "/x":      400,
		"/@" + otherHost + "/x":     200,
		"/:80/x":                    200,
		"/x#/../..":                 400,
		"/http://" + otherHost:      200,
		"/x%00":                     200,
	} {
		before := up.count()
		resp := r.raw(t, get1(target, r.addr))
		wantStatus(t, resp, want)
		if resp.StatusCode != want {
			t.Errorf("that was %s", target)
		}
		if reached := up.count() - before; (want == 200) != (reached == 1) {
			t.Errorf("%s: %d requests reached the upstream", target, reached)
		}
		if want == 200 && !strings.HasPrefix(path.Clean(up.last(t).URL.Path), "/base") {
			t.Errorf("%s became %s", target, up.last(t).RequestURI)
		}
	}
	if n := other.count(); n != 0 {
		t.Errorf("%d requests reached another host", n)
	}
}

func TestMethods(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{})
	for request, want := range map[string]int{
		"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n":              405,
		"CONNECT /x HTTP/1.1\r\nHost: localhost:1\r\n\r\n":                       405,
		"TRACE /x HTTP/1.1\r\nHost: localhost\r\n\r\n":                           405,
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n":                          400,
		"GET /x HTTP/1.1\r\n\r\n":                                                400, // no Host, says net/http
		"GET /x HTTP/1.0\r\n\r\n":                                                421,
		"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab\r\n": 200,
	} {
		before := up.count()
		if want == 200 {
			request += "c" // five bytes now
		}
		resp := r.raw(t, request)
		wantStatus(t, resp, want)
		if (want == 200) != (up.count() > before) {
			t.Errorf("%q: %d requests reached the upstream", request, up.count()-before)
		}
	}
}

func TestHosts(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{AllowHosts: []string{"gis.example.org", "2001:db8::1"}})
	for host, want := range map[string]int{
		r.addr:                     200,
		"localhost":                200,
		"localhost:1":              200,
		"LocalHost.":               200,
		"127.0.0.1":                200,
		"127.9.9.9:8790":           200,
		"[::1]:8790":               200,
		"[::1]":                    200,
		"[::ffff:127.0.0.1]":       200,
		"GIS.example.org:80":       200,
		"[2001:db8::1]:80":         200,
		"evil.example":             421,
		"evil.example:8790":        421,
		"localhost.evil.example":   421,
		"evil.localhost":           421,
		"127.0.0.1.evil.example":   421,
		"10.0.0.1":                 421,
		"0.0.0.0":                  421,
		"[2001:db8::2]":            421,
		"127.1":                    421,
		"localhost@evil.example":   400, // says net/http
		"gis.example.org.evil.com": 421,
	} {
		before := up.count()
		resp := r.raw(t, get1("/x", host))
		if resp == nil || resp.StatusCode != want || (want == 200) != (up.count() > before) {
			t.Errorf("%s: got %v, want %d", host, resp, want)
		}
	}
	wantStatus(t, r.raw(t, "GET / HTTP/1.1\r\nHost: evil.example\r\nAccept: text/html\r\n\r\n"), 421)
}

func TestOrigins(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{AllowOrigins: []string{"http://App.example:80/"}})
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
		cors    string
	}{
		"a program":             {"POST", nil, 200, ""},
		"typed":                 {"GET", []string{"Sec-Fetch-Site: none"}, 200, ""},
		"same origin":           {"GET", []string{"Sec-Fetch-Site: same-origin"}, 200, ""},
		"same origin, POST":     {"POST", []string{"Sec-Fetch-Site: same-origin", "Origin: " + r.url}, 200, ""},
		"same origin, old":      {"POST", []string{"Origin: " + r.url}, 200, ""},
		"cross-site":            {"GET", []string{"Sec-Fetch-Site: cross-site"}, 403, ""},
		"cross-site POST":       {"POST", []string{"Sec-Fetch-Site: cross-site", "Origin: http://evil.example"}, 403, ""},
		"old browser":           {"POST", []string{"Origin: http://evil.example"}, 403, ""},
		"another port":          {"GET", []string{"Sec-Fetch-Site: same-site", "Origin: http://127.0.0.1:1"}, 403, ""},
		"another port, old":     {"GET", []string{"Origin: http://127.0.0.1:1"}, 403, ""},
		"sandboxed":             {"POST", []string{"Sec-Fetch-Site: cross-site", "Origin: null"}, 403, ""},
		"image":                 {"GET", []string{"Sec-Fetch-Site: cross-site", "Referer: http://evil.example/map"}, 403, ""},
		"image, plain http":     {"GET", []string{"Referer: http://evil.example/map"}, 403, ""},
		"image, odd page":       {"GET", []string{"Referer: about:blank"}, 403, ""},
		"own page, plain http":  {"GET", []string{"Referer: " + r.url + "/map"}, 200, ""},
		"allowed, plain http":   {"GET", []string{"Referer: http://app.example/map"}, 200, "http://app.example"},
		"allowed":               {"POST", []string{"Sec-Fetch-Site: cross-site", "Origin: http://app.example"}, 200, "http://app.example"},
		"allowed, old":          {"POST", []string{"Origin: http://app.example"}, 200, "http://app.example"},
		"allowed image":         {"GET", []string{"Sec-Fetch-Site: cross-site", "Referer: http://app.example/map"}, 200, "http://app.example"},
		"not quite allowed":     {"POST", []string{"Origin: https://app.example"}, 403, ""},
		"nor that":              {"POST", []string{"Origin: http://app.example.evil.example"}, 403, ""},
		"WebSocket":             {"GET", []string{"Connection: Upgrade", "Upgrade: websocket", "Origin: http://evil.example"}, 403, ""},
		"preflight":             {"OPTIONS", []string{"Origin: http://evil.example", "Access-Control-Request-Method: PUT"}, 403, ""},
		"allowed preflight":     {"OPTIONS", []string{"Origin: http://app.example", "Access-Control-Request-Method: PUT"}, 204, "http://app.example"},
		"OPTIONS of a program":  {"OPTIONS", nil, 200, ""},
		"the page, from a link": {"GET", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Accept: text/html"}, 403, ""},
	} {
		before := up.count()
		resp, _ := r.do(t, r.request(t, c.method, "/x", nil, c.headers...))
		if got := resp.Header.Get("Access-Control-Allow-Origin"); resp.StatusCode != c.status || got != c.cors {
			t.Errorf("%s: status %d, allowed to %q; want %d, %q", name, resp.StatusCode, got, c.status, c.cors)
		}
		if (c.status == 200) != (up.count() > before) {
			t.Errorf("%s: %d requests reached the upstream", name, up.count()-before)
		}
		if resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: credentials are allowed", name)
		}
	}
}

func TestPreflight(t *testing.T) {
	r := newRig(t, &seen{}, apiproxy.Options{AllowOrigins: []string{"https://app.example"}})
	resp, _ := r.do(t, r.request(t, "OPTIONS", "/x", nil, "Origin: https://app.example", "Access-Control-Request-Method: PATCH",
		"Access-Control-Request-Headers: content-type,x-y", "Access-Control-Request-Private-Network: true"))
	wantStatus(t, resp, 204)
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":          "https://app.example",
		"Access-Control-Allow-Methods":         "PATCH",
		"Access-Control-Allow-Headers":         "content-type,x-y",
		"Access-Control-Allow-Private-Network": "true",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if vary := strings.Join(resp.Header.Values("Vary"), ", "); !strings.Contains(vary, "Origin") {
		t.Errorf("Vary is %q", vary)
	}
}

func TestNewRefuses(t *testing.T) {
	session := newSession(t, newService(t), secret)
	ok := apiproxy.Options{Upstream: "https://api.example/base/"}
	if _, err := apiproxy.New(session, ok); err != nil {
		t.Fatal(err)
	}
	if _, err := apiproxy.New(nil, ok); err == nil {
		t.Error("no session is no error")
	}
	for _, upstream := range []string{"", "api.example", "/base", "ftp://api.example", "https://", "https://:443", "https://me:password@api.example",
		"https://api.example/?x=1", "https://api.example/#x", "https://api.example/a/../b", "https://api.example//b", "https://api.example:x", "https://a b/"} {
		_, err := apiproxy.New(session, apiproxy.Options{Upstream: upstream})
		if err == nil || strings.Contains(err.Error(), "password@") {
			t.Errorf("%q: got %v", upstream, err)
		}
	}
	for _, origin := range []string{"", "*", "null", "localhost:3000", "http://", "http://x/path", "http://me@x", "http://x?y", "http://*.x/y"} {
		if _, err := apiproxy.New(session, apiproxy.Options{Upstream: ok.Upstream, AllowOrigins: []string{origin}}); err == nil {
			t.Errorf("origin %q is no error", origin)
		}
	}
	if _, err := apiproxy.New(session, apiproxy.Options{Upstream: ok.Upstream, AllowHosts: []string{""}}); err == nil {
		t.Error("an empty host is no error")
	}
	if _, err := apiproxy.New(session, apiproxy.Options{Upstream: ok.Upstream, DrainTimeout: -1}); err == nil {
		t.Error("a negative DrainTimeout is no error")
	}
}

// roundTripper is a transport that is a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Whatever is sent, what the proxy sends on goes to the upstream's host and below its path.
func FuzzTarget(f *testing.F) {
	for _, target := range []string{"/", "/x", "//evil/x", "/../x", "/%2e%2e/x", "/a%2f..%2f..", "http://evil/x", "*", "/..;/x", `/\..\x`, "/%252e%252e"} {
		f.Add(target, "localhost")
	}
	f.Add("/x", "evil.example")
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		decoded := r.URL.Path
		for range 3 {
			clean := path.Clean(strings.ReplaceAll(decoded, `\`, "/"))
			if clean != "/base" && !strings.HasPrefix(clean, "/base/") {
				panic("sent to path " + r.URL.Path)
			}
			if again, err := url.PathUnescape(decoded); err == nil {
				decoded = again
			}
		}
		if r.URL.Host != "api.example" || r.Host != "" && r.Host != "api.example" || r.URL.Scheme != "https" || r.URL.User != nil || r.URL.Opaque != "" {
			panic("sent to " + r.URL.String())
		}
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r, Header: http.Header{}}, nil
	})
	proxy, err := apiproxy.New(newSession(f, newService(f), secret), apiproxy.Options{Upstream: "https://api.example/base", Base: base})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target, host string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(get1(target, host))))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		proxy.ServeHTTP(w, r)
		name, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			name = r.Host
		}
		if w.Code == 200 && strings.Contains(name, "example") {
			t.Errorf("a request for host %q was passed on", r.Host)
		}
	})
}
