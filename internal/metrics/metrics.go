// Package metrics shows what a long-running share or proxy does: numbers for Prometheus at /metrics, and
// /healthz and /readyz for whatever supervises it. It shows no token, no secret and no client id.
package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/shsession/shsession"
)

// Metrics are the metrics of one process, on a registry of their own. New makes one. All methods may be
// called by several goroutines at once.
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
			// From a catalogue search, through a tile, to a large download.
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120},
		}, nil),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		buildInfo(),
		newStatusCollector(status),
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
