package apiproxy_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/apiproxy"
)

func TestAddsTheToken(t *testing.T) {
	r := newRig(t, nil, apiproxy.Options{})
	resp, body := r.get(t, "/api/v1/process?x=1")
	wantStatus(t, resp, 200)
	var answer struct {
		Path     string
		ClientID string `json:"client_id"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.ClientID != "client" || answer.Path != "/api/v1/process" {
		t.Errorf("got %s, %v", body, err)
	}
	for range 20 {
		r.get(t, "/api/v1/process")
	}
	if n := r.service.Counters().TokensIssued; n != 1 {
		t.Errorf("%d tokens were fetched, want 1", n)
	}
}

func TestJoinsThePath(t *testing.T) {
	for _, c := range []struct{ base, target, want string }{
		{"", "/", "/"},
		{"", "/?", "/?"},
		{"/", "/x", "/x"},
		{"/base", "/", "/base/"},
		{"/base/", "/x/", "/base/x/"},
		{"/base", "/x%2Fy?a=1;b&%zz&c=%2e%2e", "/base/x%2Fy?a=1;b&%zz&c=%2e%2e"},
		{"/a%2Fb", "/x", "/a%2Fb/x"},
		{"/base", "/x//y", "/base/x//y"},
		{"/base", "/100%25/...", "/base/100%25/..."},
		{"/base", "/items/S2A_2024:1,2;v=1", "/base/items/S2A_2024:1,2;v=1"},
	} {
		up := &seen{}
		r := newRig(t, up, apiproxy.Options{Upstream: c.base})
		wantStatus(t, r.raw(t, get1(c.target, r.addr)), 200)
		if got := up.last(t); got.RequestURI != c.want || "http://"+got.Host != r.upstream.URL {
			t.Errorf("%s with %s became %s at %s, want %s", c.base, c.target, got.RequestURI, got.Host, c.want)
		}
	}
}

func TestWithholdsRequestHeaders(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{})
	wantStatus(t, r.raw(t, "GET /x HTTP/1.1\r\nHost: localhost\r\n"+
		"Authorization: Basic abc\r\nCookie: a=b\r\nOrigin: http://localhost\r\nReferer: http://localhost/page\r\nSec-Fetch-Site: same-origin\r\n"+
		"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Host: evil\r\nForwarded: for=1.2.3.4\r\nX-Real-IP: 1.2.3.4\r\nVia: 1.1 me\r\n"+
		"Proxy: http://evil\r\nProxy-Authorization: Basic abc\r\nProxy-Connection: keep-alive\r\nX-Original-URL: /admin\r\nX-Rewrite-URL: /admin\r\n"+
		"Connection: close, Authorization, X-Hop\r\nX-Hop: 1\r\nX-Kept: 1\r\nRange: bytes=0-1\r\n\r\n"), 200)
	header := up.last(t).Header
	if auth := header.Values("Authorization"); len(auth) != 1 || !strings.HasPrefix(auth[0], "Bearer eyJ") {
		t.Errorf("Authorization is %.20q", auth)
	}
	header.Del("Authorization")
	for name, value := range header {
		switch name {
		case "X-Kept", "Range", "Cdn-Loop":
		default:
			t.Errorf("the upstream got %s: %s", name, value)
		}
	}
}

// withheld are fields of an answer that are meant for the upstream's origin.
var withheld = []string{"Set-Cookie", "Set-Cookie2", "Clear-Site-Data", "Alt-Svc", "Strict-Transport-Security",
	"NEL", "Report-To", "Reporting-Endpoints", "Service-Worker-Allowed", "Timing-Allow-Origin",
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"}

func TestWithholdsAnswerHeaders(t *testing.T) {
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
		for _, name := range append(withheld, "X-Kept") {
			w.Header().Set(name, "*")
		}
	}}
	r := newRig(t, up, apiproxy.Options{})
	resp, _ := r.get(t, "/x")
	for _, name := range withheld {
		if resp.Header.Get(name) != "" {
			t.Errorf("the client got %s", name)
		}
	}
	if resp.Header.Get("X-Kept") != "*" {
		t.Error("the client didn't get X-Kept")
	}
}

// What comes ahead of an answer has no more in it than the answer.
func TestWithholdsEarlyHeaders(t *testing.T) {
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin", "Link"} {
			h.Set(name, "*")
		}
		w.WriteHeader(http.StatusEarlyHints)
		clear(h)
		w.WriteHeader(http.StatusTeapot)
	}}
	r := newRig(t, up, apiproxy.Options{AllowOrigins: []string{"http://app.example"}})
	var early []http.Header
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
		if code != http.StatusEarlyHints {
			t.Errorf("got %d", code)
		}
		early = append(early, http.Header(header))
		return nil
	}})
	resp, _ := r.do(t, r.request(t, "GET", "/x", nil).WithContext(ctx))
	wantStatus(t, resp, http.StatusTeapot)
	if resp.Header.Get("Vary") != "Origin" {
		t.Error("the answer doesn't say that it depends on the origin")
	}
	if len(early) != 1 || early[0].Get("Link") != "*" {
		t.Fatalf("ahead of the answer came %v", early)
	}
	for _, name := range []string{"Set-Cookie", "Access-Control-Allow-Origin"} {
		if early[0].Get(name) != "" {
			t.Errorf("the client got %s", name)
		}
	}
}

func TestRedirects(t *testing.T) {
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", strings.ReplaceAll(r.URL.Query().Get("to"), "UP", "http://"+r.Host))
		w.WriteHeader(http.StatusTemporaryRedirect)
	}}
	r := newRig(t, up, apiproxy.Options{Upstream: "/base"})
	for to, want := range map[string]string{
		"UP/base/x?y=1#z?":         "/x?y=1#z?",
		"UP/base":                  "/",
		"/base/x":                  "/x",
		"x":                        "/dir/x",
		"../x":                     "/x",
		"?p=%2F;q":                 "/dir/page?p=%2F;q",
		"/base/a%2Fb":              "/a%2Fb",
		"/other":                   "UP/other",
		"../../x":                  "UP/x",
		"UP/basement":              "UP/basement",
		"UP/base//evil.example/x":  "UP/base//evil.example/x",
		"//evil.example/x":         "http://evil.example/x",
		"https://evil.example/x":   "https://evil.example/x",
		"http://me@localhost/base": "http://me@localhost/base",
	} {
		before := up.count()
		resp, _ := r.do(t, r.request(t, "GET", "/dir/page?to="+strings.NewReplacer("?", "%3F", "#", "%23", "%", "%25", ";", "%3B").Replace(to), nil))
		wantStatus(t, resp, http.StatusTemporaryRedirect)
		want = strings.ReplaceAll(want, "UP", r.upstream.URL)
		if got := resp.Header.Get("Location"); got != want {
			t.Errorf("%s became %s, want %s", to, got, want)
		}
		if up.count() != before+1 {
			t.Errorf("%s was followed", to)
		}
	}
}

func TestRenewsAfter401(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 1<<20+1)
	for name, c := range map[string]struct {
		body   io.Reader
		status int
	}{
		"no body":  {nil, 200},
		"short":    {strings.NewReader(`{"a":1}`), 200},
		"one MiB":  {strings.NewReader(large[1:]), 200},
		"larger":   {strings.NewReader(large), 401},
		"streamed": {io.MultiReader(strings.NewReader("a stream")), 401},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, nil, apiproxy.Options{})
			resp, _ := r.get(t, "/api/x")
			wantStatus(t, resp, 200)
			r.service.RevokeAll()
			resp, _ = r.do(t, r.request(t, "POST", "/api/x", c.body))
			wantStatus(t, resp, c.status)
			resp, _ = r.get(t, "/api/x")
			wantStatus(t, resp, 200)
			if n := r.service.Counters().TokensIssued; n != 2 {
				t.Errorf("%d tokens were fetched, want 2", n)
			}
		})
	}
}

// The body that is sent again is the whole one.
func TestReplaysTheBody(t *testing.T) {
	bodies := make(chan string, 2)
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		bodies <- string(body)
		if len(bodies) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}}
	r := newRig(t, up, apiproxy.Options{})
	want := strings.Repeat("body", 10_000)
	resp, _ := r.do(t, r.request(t, "PUT", "/x", strings.NewReader(want)))
	wantStatus(t, resp, 200)
	for range 2 {
		if got := <-bodies; got != want {
			t.Errorf("a body of %d bytes arrived, want %d", len(got), len(want))
		}
	}
}

func TestPasses429On(t *testing.T) {
	r := newRig(t, nil, apiproxy.Options{})
	rule, err := identity.ParseRule("api/429:retry-after=7000*1")
	if err != nil {
		t.Fatal(err)
	}
	r.service.AddRule(rule)
	resp, body := r.get(t, "/api/x")
	wantStatus(t, resp, 429)
	if resp.Header.Get("Retry-After") != "7000" || !strings.Contains(body, "429") {
		t.Errorf("Retry-After %q with %s", resp.Header.Get("Retry-After"), body)
	}
	if n := r.service.Counters().APIRequests; n != 1 {
		t.Errorf("the upstream got %d requests, want 1", n)
	}
}

func TestCompressionIsTheClientsBusiness(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(bytes.Repeat([]byte("abc"), 1000))
	z.Close()
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(packed.Bytes())
	}}
	r := newRig(t, up, apiproxy.Options{})
	for _, want := range []string{"", "gzip, br"} {
		var headers []string
		if want != "" {
			headers = append(headers, "Accept-Encoding: "+want)
		}
		resp, body := r.get(t, "/x", headers...)
		if got := up.last(t).Header.Get("Accept-Encoding"); got != want {
			t.Errorf("the upstream got Accept-Encoding %q, want %q", got, want)
		}
		if resp.Header.Get("Content-Encoding") != "gzip" || body != packed.String() {
			t.Errorf("%d bytes of encoding %q came, want %d of gzip", len(body), resp.Header.Get("Content-Encoding"), packed.Len())
		}
	}
}
