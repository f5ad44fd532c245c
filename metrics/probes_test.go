package metrics_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/metrics"
)

// probed returns a status of a session whose token expires after a time, and of its sinks.
func probed(state shsession.State, left time.Duration, lastError error, sinks ...shsession.SinkStatus) shsession.SharingStatus {
	return shsession.SharingStatus{
		Session: shsession.Status{State: state, ExpiresAt: time.Now().Add(left), LastError: lastError},
		Sinks:   sinks,
	}
}

// sink returns a status of a sink whose token expires after a time.
func sink(name string, left time.Duration, err error) shsession.SinkStatus {
	return shsession.SinkStatus{Name: name, ExpiresAt: time.Now().Add(left), Err: err}
}

// A probeCase is a state of a process, and whether it is ready in that.
type probeCase struct {
	status shsession.SharingStatus
	ready  bool
}

func probeCases() map[string]probeCase {
	failed := errors.New("the-error")
	return map[string]probeCase{
		"no token yet":                 {shsession.SharingStatus{}, false},
		"no token, and no login":       {shsession.SharingStatus{Session: shsession.Status{LastError: failed}}, false},
		"fresh":                        {probed(shsession.Fresh, time.Hour, nil), true},
		"stale":                        {probed(shsession.Stale, time.Minute, nil), true},
		"stale, and renewal fails":     {probed(shsession.Stale, time.Minute, failed), true},
		"in its last seconds":          {probed(shsession.Expired, time.Second, nil), false},
		"in its last, renewal fails":   {probed(shsession.Expired, time.Second, failed), false},
		"expired just now":             {probed(shsession.Expired, -time.Second, nil), false},
		"expired, and renewal fails":   {probed(shsession.Expired, -time.Second, failed), false},
		"expired, and nothing renews":  {probed(shsession.Expired, -2*time.Minute, nil), false},
		"published":                    {probed(shsession.Fresh, time.Hour, nil, sink("a", time.Hour, nil)), true},
		"published in one":             {probed(shsession.Fresh, time.Hour, nil, sink("a", time.Hour, nil), shsession.SinkStatus{Name: "b"}), false},
		"published, and expired":       {probed(shsession.Fresh, time.Hour, nil, sink("a", -time.Second, nil)), false},
		"published, and then failed":   {probed(shsession.Stale, time.Minute, nil, sink("a", time.Minute, io.EOF)), false},
		"the second of two has failed": {probed(shsession.Fresh, time.Hour, nil, sink("a", time.Hour, nil), sink("b", time.Hour, failed)), false},
	}
}

// A process is healthy as long as it answers, whatever became of its token: a restart would cost a login.
func TestProbes(t *testing.T) {
	for name, c := range probeCases() {
		t.Run(name, func(t *testing.T) {
			h := metrics.New(func() shsession.SharingStatus { return c.status }).Handler()
			if code, text := get(t, h, "/healthz"); code != http.StatusOK {
				t.Errorf("/healthz: %d %s", code, text)
			}
			code, text := get(t, h, "/readyz")
			if (code == http.StatusOK) != c.ready || !c.ready && code != http.StatusServiceUnavailable {
				t.Errorf("/readyz: %d %s", code, text)
			}
			if strings.Contains(text, "the-error") {
				t.Errorf("/readyz shows an error of a login: %s", text)
			}
		})
	}
}
