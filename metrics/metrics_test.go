package metrics_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/metrics"
	"github.com/shsession/shsession/ratelimit"
)

func TestMain(m *testing.M) { testkit.VerifyTestMain(m) }

// busy returns the metrics of a process that has seen everything.
func busy() *metrics.Metrics {
	status := shsession.SharingStatus{
		Session: shsession.Status{
			State:     shsession.Fresh,
			ClientID:  "the-client",
			ExpiresAt: time.Now().Add(time.Hour),
			Logins:    3, Renewals: 4,
			Failures:  shsession.Failures{Refused: 5, RateLimited: 6, Server: 9, Malformed: 10, Network: 11, Store: 7},
			LastError: errors.New("the-error"),
		},
		Sinks: []shsession.SinkStatus{
			{Name: "shm:a", ExpiresAt: time.Now().Add(time.Hour), Restored: 8},
			{Name: "file:b", ExpiresAt: time.Now().Add(time.Hour), Restored: 1, Err: errors.New("the-error")},
			{Name: "file:b", ExpiresAt: time.Now().Add(time.Hour), Restored: 1},
			{Name: "file:\xff", ExpiresAt: time.Now().Add(time.Hour)},
		},
	}
	m := metrics.New(func() shsession.SharingStatus { return status })
	m.ObserveRequest(200, 250*time.Millisecond)
	m.ObserveRequest(200, 2*time.Second)
	m.ObserveRequest(429, 500*time.Millisecond)
	m.CountEndpoint(func() metrics.EndpointStatus {
		return metrics.EndpointStatus{Handed: 12, Clients: 13, Refused: 14, Unavailable: 15}
	})
	m.CountLimit(func() ratelimit.Status {
		return ratelimit.Status{
			Alone: errors.New("the-error"), Waiting: 16, Waited: 1500 * time.Millisecond, Requests: 17, Refused: 18,
			Minute: ratelimit.Usage{Units: 19.5}, Month: ratelimit.Usage{Requests: 20, Units: 21.5}, InUse: 22,
		}
	})
	return m
}

// get returns the status and the body of an answer.
func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

// own returns our own metrics' lines, without those whose value changes with time.
func own(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "shsession_") && !strings.HasPrefix(line, "shsession_token_remaining_seconds") && !strings.HasPrefix(line, "shsession_build_info") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines
}

func TestNumbers(t *testing.T) {
	code, text := get(t, busy().Handler(), "/metrics")
	if code != http.StatusOK {
		t.Fatalf("%d: %s", code, text)
	}
	var got []string
	for _, line := range own(text) {
		if !strings.Contains(line, "_bucket{") {
			got = append(got, line)
		}
	}
	want := []string{
		`shsession_collect_errors_total 7`,
		`shsession_endpoint_clients 13`,
		`shsession_endpoint_refused_total 14`,
		`shsession_endpoint_tokens_total 12`,
		`shsession_endpoint_unavailable_total 15`,
		`shsession_limit_minute_units 19.5`,
		`shsession_limit_month_requests 20`,
		`shsession_limit_month_units 21.5`,
		`shsession_limit_refused_total 18`,
		`shsession_limit_requests_total 17`,
		`shsession_limit_shared 0`,
		`shsession_limit_slots 22`,
		`shsession_limit_wait_seconds_total 1.5`,
		`shsession_limit_waiting 16`,
		`shsession_login_failures_total{class="malformed"} 10`,
		`shsession_login_failures_total{class="network"} 11`,
		`shsession_login_failures_total{class="rate_limited"} 6`,
		`shsession_login_failures_total{class="refused"} 5`,
		`shsession_login_failures_total{class="server"} 9`,
		`shsession_logins_total 3`,
		`shsession_proxy_request_duration_seconds_sum 2.75`,
		`shsession_proxy_request_duration_seconds_count 3`,
		`shsession_proxy_requests_total{code="200"} 2`,
		`shsession_proxy_requests_total{code="429"} 1`,
		`shsession_renewals_total 4`,
		`shsession_restored_total{sink="file:b"} 2`,
		"shsession_restored_total{sink=\"file:\uFFFD\"} 0",
		`shsession_restored_total{sink="shm:a"} 8`,
		`shsession_sink_up{sink="file:b"} 0`,
		"shsession_sink_up{sink=\"file:\uFFFD\"} 1",
		`shsession_sink_up{sink="shm:a"} 1`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, secret := range []string{"the-client", "the-error"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

func TestRemainingLife(t *testing.T) {
	for _, test := range []struct {
		expiresAt time.Time
		want      string
	}{
		{time.Time{}, "shsession_token_remaining_seconds 0\n"},
		{time.Now().Add(-time.Hour), "shsession_token_remaining_seconds 0\n"},
		{time.Now().Add(time.Hour), "shsession_token_remaining_seconds 359"}, // and some digits
	} {
		m := metrics.New(func() shsession.SharingStatus {
			return shsession.SharingStatus{Session: shsession.Status{ExpiresAt: test.expiresAt}}
		})
		if _, text := get(t, m.Handler(), "/metrics"); !strings.Contains(text, test.want) {
			t.Errorf("expiry %v: no %q in\n%s", test.expiresAt, test.want, text)
		}
	}
}

// A sink is up when there is something valid in it: not before the first token, nor after the last.
func TestSinkUp(t *testing.T) {
	for _, test := range []struct {
		sinks []shsession.SinkStatus
		want  string
	}{
		{[]shsession.SinkStatus{{Name: "a"}}, "0"},
		{[]shsession.SinkStatus{{Name: "a", ExpiresAt: time.Now().Add(-time.Minute)}}, "0"},
		{[]shsession.SinkStatus{{Name: "a", ExpiresAt: time.Now().Add(time.Hour), Err: io.EOF}}, "0"},
		{[]shsession.SinkStatus{{Name: "a", ExpiresAt: time.Now().Add(time.Hour)}}, "1"},
		{[]shsession.SinkStatus{{Name: "a", ExpiresAt: time.Now().Add(time.Hour)}, {Name: "a"}}, "0"},
	} {
		m := metrics.New(func() shsession.SharingStatus { return shsession.SharingStatus{Sinks: test.sinks} })
		if _, text := get(t, m.Handler(), "/metrics"); !strings.Contains(text, `shsession_sink_up{sink="a"} `+test.want+"\n") {
			t.Errorf("%+v: not %s in\n%s", test.sinks, test.want, text)
		}
	}
}

// Two processes' metrics don't know of each other, and a share's say nothing of a proxy or an endpoint.
func TestOwnRegistry(t *testing.T) {
	busy()
	m := metrics.New(func() shsession.SharingStatus { return shsession.SharingStatus{} })
	_, text := get(t, m.Handler(), "/metrics")
	if strings.Contains(text, "shsession_proxy") || strings.Contains(text, "shsession_endpoint") || strings.Contains(text, "sink=") {
		t.Errorf("there is more than there was:\n%s", text)
	}
}

func TestLint(t *testing.T) {
	_, text := get(t, busy().Handler(), "/metrics")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func TestPromtool(t *testing.T) {
	promtool := testkit.Need(t, "promtool")
	_, text := get(t, busy().Handler(), "/metrics")
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}
