package metrics

import (
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shsession/shsession"
)

// A statusCollector reads a status on each scrape and returns it as metrics.
type statusCollector struct {
	status func() shsession.SharingStatus

	logins, failures, renewals, collectErrors, remaining *prometheus.Desc // of the session
	restored, up                                         *prometheus.Desc // of its sinks
}

// NewCollector returns a collector of the numbers of a sharing, or of a session alone if status
// returns no sinks. status is called on every scrape, by several goroutines at once, and must not
// block, as [shsession.Sharing.Status] doesn't. A registry takes one such collector. For several
// sessions, label the collectors with prometheus.WrapRegistererWith.
func NewCollector(status func() shsession.SharingStatus) prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("shsession_"+name, help, labels, nil)
	}
	return &statusCollector{
		status:        status,
		logins:        desc("logins_total", "Tokens fetched from the token endpoint."),
		failures:      desc("login_failures_total", "Logins that failed, by class: refused, rate_limited, server, malformed or network.", "class"),
		renewals:      desc("renewals_total", "New tokens, fetched or found in a store."),
		collectErrors: desc("collect_errors_total", "Times a store could not be read or locked."),
		remaining:     desc("token_remaining_seconds", "Remaining life of the session's token, 0 without one."),
		restored:      desc("restored_total", "Times the shared token was put back after something had removed it.", "sink"),
		up:            desc("sink_up", "Whether a valid token is published and the last attempt to publish succeeded (1) or not (0).", "sink"),
	}
}

// Describe is a part of prometheus.Collector.
func (c *statusCollector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.logins, c.failures, c.renewals, c.collectErrors, c.remaining, c.restored, c.up} {
		descs <- desc
	}
}

// Collect is a part of prometheus.Collector.
func (c *statusCollector) Collect(metrics chan<- prometheus.Metric) {
	status := c.status()
	count := func(desc *prometheus.Desc, n uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(n), labels...)
	}
	gauge := func(desc *prometheus.Desc, x float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, x, labels...)
	}
	session := status.Session
	count(c.logins, session.Logins)
	count(c.failures, session.Failures.Refused, "refused")
	count(c.failures, session.Failures.RateLimited, "rate_limited")
	count(c.failures, session.Failures.Server, "server")
	count(c.failures, session.Failures.Malformed, "malformed")
	count(c.failures, session.Failures.Network, "network")
	count(c.renewals, session.Renewals)
	count(c.collectErrors, session.Failures.Store)
	gauge(c.remaining, max(0, time.Until(session.ExpiresAt).Seconds()))
	for name, sink := range sinksByName(status.Sinks) {
		count(c.restored, sink.restored, name)
		gauge(c.up, sink.up, name)
	}
}

type sinkNumbers struct {
	restored uint64
	up       float64
}

// sinksByName adds up sinks of one name, since two metrics can't have the same label.
func sinksByName(sinks []shsession.SinkStatus) map[string]sinkNumbers {
	byName := make(map[string]sinkNumbers)
	for _, sink := range sinks {
		name := strings.ToValidUTF8(sink.Name, "\uFFFD") // a label is UTF-8, a path may not be
		numbers, seen := byName[name]
		numbers.restored += sink.Restored
		if !seen {
			numbers.up = 1
		}
		if !isUp(sink) {
			numbers.up = 0
		}
		byName[name] = numbers
	}
	return byName
}

func buildInfo() prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "shsession_build_info",
		Help:        "What this process was built from; the value is always 1.",
		ConstLabels: prometheus.Labels{"version": shsession.Version, "goversion": runtime.Version()},
	})
	info.Set(1)
	return info
}
