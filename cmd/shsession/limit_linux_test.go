package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// pageAt returns the proxy's page about itself.
func pageAt(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Two proxies of this machine have one limit: what goes beyond it waits, whichever it came to.
func TestProxiesShareALimit(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	_, one := startProxy(t, env, "--limit", "2/h")
	_, two := startProxy(t, env, "--limit", "2/h")
	wantServed(t, one)
	wantServed(t, two)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		get(ctx, one+"/api/v1/process")
	}()
	testkit.Eventually(t, "the third request to wait", func() bool { return strings.Contains(pageAt(t, one), "<dt>Waiting</dt><dd>1") })
	cancel()
	<-ended
	if n := service.Counters().APIRequests; n != 2 {
		t.Errorf("the service got %d requests, want 2", n)
	}
	status := command(t, env, "status")
	status.start(t)
	code := status.exit(t) // not 0 if another test's token is expired
	if !strings.Contains(status.out.String(), "limit 2/h: ") || !strings.Contains(status.out.String(), "2 requests this month") {
		t.Errorf("status says %d: %s", code, status.out.String())
	}
	if text := pageAt(t, two); !strings.Contains(text, "2/h, shared by all members") {
		t.Errorf("the page doesn't say what the limit is: %s", text)
	}
}

// What a limit does is shown by status, the metrics and the proxy's page: what was spent and
// refused, what waits, and the slots in use.
func TestLimitIsShown(t *testing.T) {
	t.Parallel()
	service, env := startServiceWith(t, identity.Options{Units: 2.5})
	service.AddRule(identity.Rule{API: true, Fault: identity.MustParseFault("429:retry-after=20"), Times: 1})
	p, url := startProxy(t, env, "--limit", "3/h,100pu/h,2", "--metrics", "127.0.0.1:0", "--log-format", "json")
	wantServed(t, url) // at the second attempt
	wantServed(t, url)
	service.AddRule(identity.Rule{API: true, Fault: identity.MustParseFault("hang")})
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	hold := func() { clients.Go(func() { get(ctx, url+"/api/v1/process") }) }
	hold() // has a slot
	testkit.Eventually(t, "the third request to be under way", func() bool { return strings.Contains(pageAt(t, url), "<dt>At a time</dt><dd>1, ") })
	hold() // waits for the hour
	testkit.Eventually(t, "the fourth to wait", func() bool { return strings.Contains(pageAt(t, url), "<dt>Waiting</dt><dd>1") })

	status := command(t, env, "status")
	status.start(t)
	status.exit(t) // not 0 if another test's token is expired
	var metrics string
	testkit.Eventually(t, "the metrics", func() bool {
		code, text := get(t.Context(), metricsAt(t, p)+"/metrics")
		metrics = text
		return code == http.StatusOK
	})
	for _, shown := range []struct {
		where, text string
		want        []string
	}{
		{"status", status.out.String(), []string{"limit 3/h,100pu/h,2: ", ", 2 requests + 5.00 pu + 1 refused this month, 1 at a time, 0 waiting, a request now waits "}},
		{"the metrics", metrics, []string{
			"\nshsession_limit_waiting 1\n", "\nshsession_limit_refused_total 1\n", "\nshsession_limit_requests_total 3\n",
			"\nshsession_limit_wait_seconds_total ", "\nshsession_limit_minute_units ", "\nshsession_limit_month_units 5\n",
			"\nshsession_limit_month_requests 2\n", "\nshsession_limit_slots 1\n", "\nshsession_limit_shared 1\n",
		}},
		{"the page", pageAt(t, url), []string{"3/h,100pu/h,2, shared by all members", "<dt>Refused</dt><dd>1 of", "2 requests, 5.00 processing units by all members"}},
	} {
		for _, want := range shown.want {
			if !strings.Contains(shown.text, want) {
				t.Errorf("%s lacks %q: %s", shown.where, want, shown.text)
			}
		}
	}
}

// A proxy that learns repeats what the service refuses.
func TestProxyLearns(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	service.AddRule(identity.Rule{API: true, Fault: identity.MustParseFault("429:retry-after=20"), Times: 3})
	_, url := startProxy(t, env, "--limit", "auto")
	wantServed(t, url)
	if n := service.Counters().APIRequests; n != 4 {
		t.Errorf("the service got %d requests, want 4", n)
	}
}

// Another limit for the same account is said at once.
func TestProxyNamesTheOtherLimit(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	_, one := startProxy(t, env, "--limit", "20/h")
	wantServed(t, one)
	other, two := startProxy(t, env, "--limit", "30/h")
	wantServed(t, two)
	testkit.Eventually(t, "the warning", func() bool {
		return strings.Contains(other.err.String(), "this account was limited to 20/h, and not to 30/h")
	})
}
