package apiproxy_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/internal/tokenendpoint"
	"github.com/shsession/shsession/storetest"
)

func TestPage(t *testing.T) {
	up := &seen{answer: func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) }}
	r := newRig(t, up, apiproxy.Options{})
	_, before := r.get(t, "/", "Accept: text/html,*/*;q=0.8")
	if !strings.Contains(before, "None yet. The first request logs in.") {
		t.Errorf("before the first request the page is %s", before)
	}
	r.get(t, "/x")
	r.get(t, "/<script>")
	resp, page := r.get(t, "/", "Accept: text/html,*/*;q=0.8", "Sec-Fetch-Site: cross-site")
	wantStatus(t, resp, 200)
	for _, want := range []string{r.upstream.URL, "Valid for another", "418", "I&#39;m a teapot", "<td>2</td>"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q: %s", want, page)
		}
	}
	for _, never := range []string{"<script", "eyJ", secret, "javascript:", "onload"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	if policy := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
	if resp.Header.Get("Content-Type") != "text/html; charset=utf-8" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", resp.Header)
	}
	if up.count() != 2 {
		t.Errorf("the upstream got %d requests, want 2", up.count())
	}
	// The page itself is no request through the proxy, to whoever counts them.
	wantStatus(t, r.raw(t, get1("/x", r.addr)), http.StatusTeapot)
	if r.lastCode(t, 3); len(r.counted()) != 3 {
		t.Errorf("counted %v, want three requests", r.counted())
	}
	if _, page := r.get(t, "/", "Accept: text/html"); !strings.Contains(page, "<p>3 since the start, 3 in the last hour") {
		t.Errorf("the page counts itself: %s", page)
	}
}

// The page counts the logins that the proxy has answered, if there were any.
func TestPageCountsLogins(t *testing.T) {
	var logins tokenendpoint.Status
	r := newRig(t, &seen{}, apiproxy.Options{Logins: func() tokenendpoint.Status { return logins }})
	if _, page := r.get(t, "/", "Accept: text/html"); strings.Contains(page, "logins of") {
		t.Errorf("there were no logins: %s", page)
	}
	logins = tokenendpoint.Status{Handed: 12, Clients: 5}
	if _, page := r.get(t, "/", "Accept: text/html"); !strings.Contains(page, "<p>12 logins of 5 programs were answered here") {
		t.Errorf("the page doesn't count the logins: %s", page)
	}
}

// The upstream's own start page can still be had.
func TestUpstreamRoot(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{})
	n := 0
	for _, request := range []*http.Request{
		r.request(t, "GET", "/?", nil, "Accept: text/html"),
		r.request(t, "GET", "/", nil),
		r.request(t, "GET", "/", nil, "Accept: application/json"),
		r.request(t, "POST", "/", nil, "Accept: text/html"),
		r.request(t, "GET", "/x", nil, "Accept: text/html"),
		r.request(t, "GET", "/?service=WMS", nil, "Accept: text/html"),
	} {
		r.do(t, request)
		if n++; up.count() != n {
			t.Fatalf("%s %s didn't reach the upstream", request.Method, request.URL)
		}
	}
}

// A scene is a proxy in a bubble, whose page is looked at.
type scene struct {
	service *identity.Server
	proxy   *apiproxy.Proxy
	code    int // that the upstream answers
}

func newScene(t *testing.T) *scene {
	t.Helper()
	sc := &scene{service: newService(t), code: http.StatusOK}
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		resp := respond(r, http.NoBody)
		resp.StatusCode = sc.code
		return resp, nil
	})
	var err error
	sc.proxy, err = apiproxy.New(newSession(t, sc.service, secret), apiproxy.Options{
		Upstream: "https://services.example", Base: base, AllowHosts: []string{"gis.example"}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// get sends a request through the proxy, to its page if a browser asks for "/".
func (sc *scene) get(path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "127.0.0.1:8765"
	r.Header.Set("Accept", "text/html")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	sc.proxy.ServeHTTP(w, r)
	return w
}

func (sc *scene) page(headers ...string) string { return sc.get("/", headers...).Body.String() }

// The page says in plain words how it goes with the token, and an expired one is never
// given a rest of its life.
func TestPageTellsTheTokensState(t *testing.T) {
	for name, c := range map[string]struct {
		begin         func(sc *scene)
		wants, nevers []string
	}{
		"new": {func(*scene) {},
			[]string{"None yet. The first request logs in.", "<p>None yet.</p>", "<dt>Renewals</dt><dd>0</dd>", "<dt>Failures</dt><dd>0</dd>"},
			[]string{"another", "Expired", `class="life"`, "Last failure", "Next attempt"}},
		"no login": {func(sc *scene) { sc.service.Inject(identity.MustParseFault("503"), 0); sc.get("/x") },
			[]string{"None: the last attempt to log in failed.", "Last failure", "503", "Next attempt", "<dd>1, the last at "},
			[]string{"another", "Expired", `class="life"`, "first request"}},
		"fresh": {func(sc *scene) { sc.get("/x"); time.Sleep(15 * time.Minute) },
			[]string{"Valid for another 45m.", `class="good" width="75"`, "<dt>Client</dt><dd>client</dd>", "<dt>Renewals</dt><dd>0</dd>", "<dt>Logins</dt><dd>1</dd>", "<dt>Expires</dt>"},
			[]string{"Expired", "due for", "Last failure"}},
		"renewed": {func(sc *scene) { sc.get("/x"); time.Sleep(time.Hour - time.Minute); sc.get("/x") },
			[]string{"Valid for another 1h0m.", "<dt>Renewals</dt><dd>1</dd>", "<dt>Logins</dt><dd>2</dd>"},
			[]string{"Expired", "due for"}},
		"stale": {func(sc *scene) { sc.get("/x"); time.Sleep(time.Hour - time.Minute) },
			[]string{"Valid for another 1m. It is due for renewal.", `class="due" width="1"`},
			[]string{"Expired", "failed."}},
		"stale, renewal fails": {func(sc *scene) {
			sc.get("/x")
			time.Sleep(time.Hour - time.Minute)
			sc.service.Inject(identity.MustParseFault("503"), 0)
			sc.get("/x")
		},
			[]string{"Valid for another 1m. The last attempt to renew it failed.", "Last failure"},
			[]string{"Expired"}},
		"in its last seconds": {func(sc *scene) { sc.get("/x"); time.Sleep(time.Hour - 126*time.Millisecond) },
			[]string{"Expired. It is due for renewal.", `class="bad" width="0"`},
			[]string{"another", "126ms", "<dt>Expires</dt>"}},
		"expired, renewal fails": {func(sc *scene) {
			sc.get("/x")
			time.Sleep(2 * time.Hour)
			sc.service.Inject(identity.MustParseFault("503"), 0)
			sc.get("/x")
		},
			[]string{"Expired, and the last attempt to renew it failed.", "Last failure", "503"},
			[]string{"another", "<dt>Expires</dt>"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := newScene(t)
				c.begin(sc)
				page := sc.page()
				for _, want := range append(c.wants, "This page refreshes every 10 seconds.", "https://services.example") {
					if !strings.Contains(page, want) {
						t.Errorf("the page has no %q: %s", want, page)
					}
				}
				for _, never := range append(c.nevers, secret, "eyJ") {
					if strings.Contains(page, never) {
						t.Errorf("the page has %q: %s", never, page)
					}
				}
			})
		})
	}
}

// The page tells the logins of this proxy from tokens that other processes have got.
func TestPageTellsWhoLogsIn(t *testing.T) {
	sc := newScene(t)
	first, err := newSession(t, sc.service, secret).Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var store storetest.Memory
	if err := store.Publish(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	base := roundTripper(func(r *http.Request) (*http.Response, error) { return respond(r, http.NoBody), nil })
	cfg := shsession.Config{BaseURL: "https://services.example"}
	sc.proxy, err = apiproxy.New(shsession.FollowWith(cfg, &store), apiproxy.Options{Upstream: cfg.BaseURL, Base: base, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	sc.get("/x")
	if page := sc.page(); !strings.Contains(page, "<dt>Renewals</dt><dd>0</dd>\n<dt>Logins</dt><dd>0</dd>") {
		t.Errorf("the page is %s", page)
	}
}

// The chart shows each minute of the last hour, and none before that.
func TestPageChart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := newScene(t)
		if page := sc.page(); strings.Contains(page, `class="hour"`) {
			t.Error("there is a chart of no requests")
		}
		for n, code := range map[int]int{3: 200, 1: 429} {
			sc.code = code
			for range n {
				sc.get("/x")
			}
		}
		time.Sleep(59 * time.Minute)
		sc.code = http.StatusOK
		for range 8 {
			sc.get("/x")
		}
		page := sc.page()
		for _, want := range []string{
			"<p>12 since the start, 12 in the last hour (<span class=\"bad\">1 with an error</span>).",
			"<title>00:00 UTC: 4 requests, 1 with an error</title>",
			`class="answered" x="1" y="38" width="8" height="22"`, // three of eight, of 60
			`class="failed" x="1" y="31" width="8" height="7"`,
			`class="answered" x="591" y="0" width="8" height="60"`,
			"at most 8 a minute",
		} {
			if !strings.Contains(page, want) {
				t.Errorf("the page has no %q: %s", want, page)
			}
		}
		time.Sleep(time.Minute)
		if page := sc.page(); !strings.Contains(page, "12 since the start, 8 in the last hour.") || strings.Contains(page, `class="failed"`) {
			t.Errorf("a minute later the page is %s", page)
		}
		time.Sleep(2 * time.Hour)
		if page := sc.page(); strings.Contains(page, `class="hour"`) {
			t.Errorf("hours later the page is %s", page)
		}
	})
}

// The lines to copy have the address that the reader has for the proxy, and nothing that a
// shell would take for more.
func TestPageLinesToCopy(t *testing.T) {
	sc := newScene(t)
	for name, c := range map[string]struct {
		headers []string
		self    string
	}{
		"loopback":      {nil, "http://127.0.0.1:8765"},
		"IPv6":          {[]string{"Host: [::1]:8765"}, "http://[::1]:8765"},
		"no port":       {[]string{"Host: localhost"}, "http://localhost"},
		"behind TLS":    {[]string{"Host: GIS.example", "X-Forwarded-Proto: https"}, "https://gis.example"},
		"no real port":  {[]string{"Host: localhost:$(reboot)"}, "http://localhost"},
		"no real port2": {[]string{"Host: localhost:99999"}, "http://localhost"},
	} {
		page := sc.page(c.headers...)
		for _, want := range []string{
			"<pre>" + c.self + "/ogc/wms/INSTANCE</pre>",
			"<pre>gdalinfo /vsicurl/" + c.self + "/PATH</pre>",
			"<pre>curl " + c.self + "/catalog/v1/collections</pre>",
			`requests.get("` + c.self + `/catalog/v1/collections"`,
		} {
			if !strings.Contains(page, want) {
				t.Errorf("%s: the page has no %q: %s", name, want, page)
			}
		}
	}
}
