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
	"go.uber.org/goleak"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/metrics"
	"github.com/shsession/shsession/internal/needtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

// Two processes' metrics don't know of each other, and a share's say nothing of a proxy.
func TestOwnRegistry(t *testing.T) {
	busy()
	m := metrics.New(func() shsession.SharingStatus { return shsession.SharingStatus{} })
	_, text := get(t, m.Handler(), "/metrics")
	if strings.Contains(text, "shsession_proxy") || strings.Contains(text, "sink=") {
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
	promtool := needtest.Program(t, "promtool")
	_, text := get(t, busy().Handler(), "/metrics")
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}
}

func TestReady(t *testing.T) {
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	tests := []struct {
		name   string
		status shsession.SharingStatus
		want   int
	}{
		{"fresh", shsession.SharingStatus{Session: shsession.Status{State: shsession.Fresh}}, 200},
		{"stale", shsession.SharingStatus{Session: shsession.Status{State: shsession.Stale}}, 200},
		{"expired", shsession.SharingStatus{Session: shsession.Status{State: shsession.Expired}}, 503},
		{"no token", shsession.SharingStatus{}, 503},
		{"published", shsession.SharingStatus{
			Session: shsession.Status{State: shsession.Fresh}, Sinks: []shsession.SinkStatus{{Name: "a", ExpiresAt: soon}},
		}, 200},
		{"an expired one published", shsession.SharingStatus{
			Session: shsession.Status{State: shsession.Fresh}, Sinks: []shsession.SinkStatus{{Name: "a", ExpiresAt: soon}, {Name: "b", ExpiresAt: past}},
		}, 503},
		{"the last one published is still good", shsession.SharingStatus{
			Session: shsession.Status{State: shsession.Stale}, Sinks: []shsession.SinkStatus{{Name: "a", ExpiresAt: soon, Err: io.EOF}},
		}, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := metrics.New(func() shsession.SharingStatus { return test.status }).Handler()
			if code, text := get(t, h, "/readyz"); code != test.want {
				t.Errorf("/readyz: %d %s, want %d", code, text, test.want)
			}
			if code, text := get(t, h, "/healthz"); code != 200 {
				t.Errorf("/healthz: %d %s", code, text)
			}
		})
	}
}
