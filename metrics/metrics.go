// Package metrics shows the state of a session or a sharing as metrics for Prometheus. It shows no
// token, no secret and no client id.
//
//   - A program with a registry of its own registers a [NewCollector].
//   - A program without a registry serves [New]'s metrics, and probes for its supervisor, as
//     shsession share --metrics does.
package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/shsession/shsession"
)

// Metrics are the metrics of one process, on a registry of their own, with Go's and the process's.
// New makes one. Several goroutines may call all its methods at once.
type Metrics struct {
	status   func() shsession.SharingStatus
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
}

// New returns metrics of a sharing, or of a session alone if status returns no sinks. status is
// called on every scrape and probe, by several goroutines at once, and must not block.
func New(status func() shsession.SharingStatus) *Metrics {
	m := &Metrics{
		status:   status,
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "shsession_proxy_requests_total",
			Help: "Requests that the proxy answered, by status; 499 is a client that went away.",
		}, []string{"code"}),
		// A vector without labels, so that only a proxy shows it.
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "shsession_proxy_request_duration_seconds",
			Help: "How long requests through the proxy took, to the end of the answer.",
			// The range covers a catalogue search, a tile and a large download.
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, nil),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(),
		NewCollector(status),
		m.requests,
		m.took,
	)
	return m
}

// ObserveRequest counts a request through the proxy, with its status and the time that it took.
func (m *Metrics) ObserveRequest(code int, took time.Duration) {
	m.requests.WithLabelValues(strconv.Itoa(code)).Inc()
	m.took.WithLabelValues().Observe(took.Seconds())
}
