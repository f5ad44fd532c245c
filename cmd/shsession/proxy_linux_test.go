package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/testkit"
)

// startProxy starts the command as a proxy on a free port, and returns its URL.
func startProxy(t *testing.T, env []string, args ...string) (*process, string) {
	t.Helper()
	p := command(t, env, append([]string{"proxy", "--listen", "127.0.0.1:0"}, args...)...)
	p.start(t)
	listening, said := regexp.MustCompile(`^forwarding (http://127\.0\.0\.1:\d+) to http://.*; interrupt to stop\n$`), &p.out
	if slices.Contains(args, "json") {
		listening, said = regexp.MustCompile(`"msg":"the proxy listens","url":"(http://127\.0\.0\.1:\d+)","upstream":"http://`), &p.err
	}
	testkit.Eventually(t, "the proxy to listen", func() bool { return listening.MatchString(said.String()) })
	return p, listening.FindStringSubmatch(said.String())[1]
}

// get returns the answer to a request without a token, or status 0 and why there is none.
func get(ctx context.Context, url string) (status int, body string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err.Error()
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}

func wantServed(t *testing.T, url string) {
	t.Helper()
	if status, body := get(t.Context(), url+"/api/v1/process"); status != http.StatusOK {
		t.Errorf("the proxy answered %d: %s", status, body)
	}
}

// The proxy and "shsession token" have one login between them.
func TestProxySharesTheCache(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	_, url := startProxy(t, env)
	wantServed(t, url)
	token := command(t, env, "token")
	token.start(t)
	if code := token.exit(t); code != exitOK {
		t.Fatalf("exit code %d: %s", code, token.err.String())
	}
	if n := service.Counters().TokensIssued; n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
}

// A second proxy at the same port says what to do.
func TestProxyPortTaken(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	_, url := startProxy(t, env)
	second := command(t, env, "proxy", "--listen", strings.TrimPrefix(url, "http://"))
	second.start(t)
	if code := second.exit(t); code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	if text := second.err.String(); !strings.Contains(text, "address already in use") || !strings.Contains(text, "hint: --listen") {
		t.Errorf("it said %q", text)
	}
}

// Requests under way are finished on SIGTERM, and then the exit code is 0.
func TestProxyDrains(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	service.AddRule(identity.Rule{API: true, Fault: identity.MustParseFault("slow:500ms")})
	p, url := startProxy(t, env)
	answered := make(chan int, 1)
	go func() {
		status, _ := get(t.Context(), url+"/api/v1/process")
		answered <- status
	}()
	testkit.Eventually(t, "a request", func() bool { return service.Counters().APIRequests == 1 })
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != exitOK {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request was answered %d", status)
	}
}

// While nobody asks for anything the token is renewed all the same.
func TestProxyRenewsWhileIdle(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	service.SetLifetime(2 * time.Second)
	_, url := startProxy(t, env)
	testkit.Eventually(t, "three logins", func() bool { return service.Counters().TokensIssued >= 3 })
	wantServed(t, url)
	if c := service.Counters(); c.APIUnauthorized != 0 {
		t.Errorf("counters %+v, want no refusal", c)
	}
}

// A service that is down when the proxy starts is answered for, and used when it's back.
func TestProxyStartsInAnOutage(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	service.Inject(identity.MustParseFault("503"), 0)
	_, url := startProxy(t, append(env, "XDG_CONFIG_HOME="+oneAttempt(t)))
	status, body := get(t.Context(), url+"/api/v1/process")
	var answer struct{ Code string }
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusServiceUnavailable || answer.Code != "PROXY_NO_TOKEN" {
		t.Errorf("answered %d, %s", status, body)
	}
	service.Clear()
	testkit.Eventually(t, "an answer", func() bool {
		status, _ := get(t.Context(), url+"/api/v1/process")
		return status == http.StatusOK
	})
}

// With --from it has no credentials, and the token that somebody shares.
func TestProxyFromStore(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	name := unique()
	p, url := startProxy(t, append(env, "SH_CLIENT_SECRET="), "--from", name)
	if status, body := get(t.Context(), url+"/api/v1/process"); status != http.StatusServiceUnavailable {
		t.Errorf("with nothing shared it answered %d: %s", status, body)
	}
	sharer := command(t, env, "share", "--name", name)
	sharer.start(t)
	testkit.Eventually(t, "an answer", func() bool {
		status, _ := get(t.Context(), url+"/api/v1/process")
		return status == http.StatusOK
	})
	if n := service.Counters().TokensIssued; n != 1 {
		t.Errorf("%d logins, want the sharer's", n)
	}
	for _, end := range []*process{p, sharer} {
		end.Process.Signal(os.Interrupt)
		if code := end.exit(t); code != exitOK {
			t.Errorf("exit code %d: %s", code, end.err.String())
		}
	}
}

// Where this machine's cache can't be used, the proxy logs in by itself and says so.
func TestProxyWithoutCache(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	blockCache(t, env)
	p, url := startProxy(t, env)
	wantServed(t, url)
	if !strings.Contains(p.err.String(), "warning: logging in without this machine's cache") {
		t.Errorf("it said %q", p.err.String())
	}
}

// blockCache puts a directory in the place of this machine's cache for the client, until the test's end.
func blockCache(t *testing.T, env []string) {
	t.Helper()
	path := "/dev/shm/" + cache.Name(configOf(env))
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
}

// configOf returns the config that the variables of startService make.
func configOf(env []string) (cfg shsession.Config) {
	for _, variable := range env {
		switch name, value, _ := strings.Cut(variable, "="); name {
		case "SH_CLIENT_ID":
			cfg.ClientID = value
		case "SH_CLIENT_SECRET":
			cfg.ClientSecret = shsession.NewSecret(value)
		case "SH_TOKEN_URL":
			cfg.TokenURL = value
		}
	}
	return cfg
}

// metricsAt returns the URL at which a process that logs in JSON serves its metrics.
func metricsAt(t *testing.T, p *process) string {
	t.Helper()
	served := regexp.MustCompile(`"url":"(http://127\.0\.0\.1:\d+)/metrics"`)
	testkit.Eventually(t, "the metrics' address", func() bool { return served.MatchString(p.err.String()) })
	return served.FindStringSubmatch(p.err.String())[1]
}

// With --metrics the proxy's requests are counted, and it is ready while there is a token.
func TestProxyMetrics(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	p, url := startProxy(t, env, "--metrics", "127.0.0.1:0", "--log-format", "json")
	wantServed(t, url)
	base := metricsAt(t, p)
	if status, body := get(t.Context(), base+"/readyz"); status != http.StatusOK {
		t.Errorf("/readyz answered %d: %s", status, body)
	}
	_, text := get(t.Context(), base+"/metrics")
	for _, line := range []string{
		`shsession_proxy_requests_total{code="200"} 1`, "shsession_proxy_request_duration_seconds_count 1", "shsession_logins_total 1",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if p.out.String() != "" {
		t.Errorf("it wrote %q beside its log", p.out.String())
	}
}
