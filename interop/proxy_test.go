package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/internal/testkit"
)

// newSession returns a session of the development client at a URL of listen.
func newSession(t *testing.T, url string) *shsession.Session {
	t.Helper()
	session, err := shsession.New(shsession.Config{
		ClientID:     identity.DevelopmentID,
		ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		TokenURL:     realmOf(url) + "/protocol/openid-connect/token",
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// startProxy starts a proxy to a URL of listen, and returns its URL.
func startProxy(t *testing.T, session *shsession.Session, upstream string, origins ...string) string {
	t.Helper()
	proxy, err := apiproxy.New(session, apiproxy.Options{Upstream: upstream, AllowOrigins: origins, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- proxy.ListenAndServe(ctx, "127.0.0.1:0", func(a net.Addr) { ready <- a }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case a := <-ready:
		return "http://" + a.String()
	case err := <-ended:
		ended <- err
		t.Fatal("the proxy didn't start")
		return ""
	}
}

// chromium returns the command that shows a page without a screen.
func chromium(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, needProgram(t, "chromium"), append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
		"--disable-background-networking", "--disable-component-update", "--disable-extensions", "--no-proxy-server",
		"--user-data-dir=" + profileDir(t), "--enable-logging=stderr"}, args...)...)
	cmd.WaitDelay = 5 * time.Second // for its children, who have the pipes
	return cmd
}

// profileDir returns a directory for a browser's profile, whose processes may write there for a moment longer than the
// one that was started lives.
func profileDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "shsession-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		testkit.EventuallyWithin(t, 10*time.Second, "Chromium's processes leave its profile alone", func() bool { return os.RemoveAll(dir) == nil })
	})
	return dir
}

// dumpDOM returns a page as Chromium has understood it, and what Chromium said of it.
func dumpDOM(t *testing.T, args ...string) (page, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := chromium(ctx, t, append([]string{"--dump-dom"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, stderr.String())
	}
	return string(out), stderr.String()
}

// fetch returns the status of an answer.
func fetch(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestChromiumShowsTheProxysPage(t *testing.T) {
	t.Parallel()
	server, url := listen(t, identity.Options{})
	session := newSession(t, url)
	proxy := startProxy(t, session, url)
	server.AddRule(identity.Rule{API: true, Times: 1, Fault: identity.MustParseFault("429:retry-after=7000")})
	for range 3 {
		fetch(t, proxy+"/api/v1/process")
	}
	page, log := dumpDOM(t, proxy+"/")
	for _, text := range []string{"<h1>shsession proxy</h1>", url, "Valid for another", "200 OK", "429 Too Many Requests", "3 since the start"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
	token, err := session.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page, token.AccessToken()) || strings.Contains(page, "eyJ") {
		t.Error("the page shows the token")
	}
	if strings.Contains(log, "Content Security Policy") || strings.Contains(log, "CONSOLE") {
		t.Errorf("Chromium complains of the page: %s", log)
	}
	if t.Failed() {
		t.Log(page)
	}
}

// TestChromiumRebinding has a name that isn't the proxy's lead to its address.
func TestChromiumRebinding(t *testing.T) {
	t.Parallel()
	server, url := listen(t, identity.Options{})
	proxy := startProxy(t, newSession(t, url), url)
	foreign := strings.Replace(proxy, "127.0.0.1", "evil.test", 1)
	page, _ := dumpDOM(t, "--host-resolver-rules=MAP evil.test 127.0.0.1", foreign+"/api/v1/process")
	if !strings.Contains(page, "PROXY_HOST") {
		t.Errorf("the page isn't the proxy's refusal: %s", page)
	}
	if n := server.Counters().APIRequests; n != 0 {
		t.Errorf("%d requests reached the API", n)
	}
}

// intruder is a page that uses two proxies, of which the second permits it to, and says what came of it.
const intruder = `<!doctype html><title>another origin</title><script type="module">
const outcome = async request => { try { return await request() } catch (e) { return e.name } }
const get = async url => { const r = await fetch(url); return r.status + " " + (await r.json()).method }
const post = async (url, init) => { const r = await fetch(url, {method: "POST", ...init}); return r.type + " " + r.status }
const image = url => new Promise(resolve => {
	const i = new Image(); i.onload = () => resolve("load"); i.onerror = () => resolve("error"); i.src = url })
const [closed, open] = [%q, %q]
const api = "/api/v1/process", json = {headers: {"Content-Type": "application/json"}, body: "{}"}
const report = {
	"get": await outcome(() => get(closed + api)),
	"post in a form's manner": await outcome(() => post(closed + api, {mode: "no-cors", body: "a=b"})),
	"post json": await outcome(() => post(closed + api, json)),
	"image": await image(closed + "/files/image.png"),
	"allowed get": await outcome(() => get(open + api)),
	"allowed post json": await outcome(() => post(open + api, json)),
}
await fetch("/report", {method: "POST", body: JSON.stringify(report)})
</script>`

// TestChromiumCrossOrigin has a page of another site use the proxy: that mustn't reach the API, unless it is allowed.
func TestChromiumCrossOrigin(t *testing.T) {
	t.Parallel()
	needProgram(t, "chromium")
	server, url := listen(t, identity.Options{})
	session := newSession(t, url)
	var page string
	reports := make(chan map[string]string, 1)
	site := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			io.WriteString(w, page)
			return
		}
		var report map[string]string
		if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
			t.Error(err)
		}
		reports <- report
	}))
	t.Cleanup(site.Close)
	origin := strings.Replace("http://"+site.Listener.Addr().String(), "127.0.0.1", "localhost", 1)
	page = fmt.Sprintf(intruder, startProxy(t, session, url), startProxy(t, session, url, origin))
	site.Start()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	browser := chromium(ctx, t, origin+"/")
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	defer browser.Wait() // it's killed, so there is an error
	defer cancel()
	var report map[string]string
	select {
	case report = <-reports:
	case <-ctx.Done():
		t.Fatal("the page didn't report in a minute")
	}
	want := map[string]string{
		"get":                     "TypeError",
		"post in a form's manner": "opaque 0",
		"post json":               "TypeError",
		"image":                   "error",
		"allowed get":             "200 GET",
		"allowed post json":       "cors 200",
	}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("what the page could do (-want +got):\n%s", diff)
	}
	if n := server.Counters().APIRequests; n != 2 {
		t.Errorf("%d requests reached the API, want the 2 that are allowed", n)
	}
}
