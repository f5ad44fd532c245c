package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/shsession/shsession/ratelimit"
)

// CountLimit adds the metrics of a rate limit. Call it once at most, before Serve. status is
// called on every scrape and must not block.
func (m *Metrics) CountLimit(status func() ratelimit.Status) {
	count := func(name, help string, n func(ratelimit.Status) float64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: "shsession_limit_" + name, Help: help},
			func() float64 { return n(status()) },
		))
	}
	gauge := func(name, help string, n func(ratelimit.Status) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Name: "shsession_limit_" + name, Help: help},
			func() float64 { return n(status()) },
		))
	}
	count("requests_total", "Requests that this process has sent under the limit, repeated ones too.",
		func(s ratelimit.Status) float64 { return float64(s.Requests) })
	count("refused_total", "Requests of this process that the service answered 429.",
		func(s ratelimit.Status) float64 { return float64(s.Refused) })
	count("wait_seconds_total", "Time that requests of this process have waited for the limit.",
		func(s ratelimit.Status) float64 { return s.Waited.Seconds() })
	gauge("waiting", "Requests of this process that wait for the limit.",
		func(s ratelimit.Status) float64 { return float64(s.Waiting) })
	gauge("shared", "Whether the limit is shared with the other members (1), or they can't be reached (0).",
		func(s ratelimit.Status) float64 {
			if s.Alone != nil {
				return 0
			}
			return 1
		})
	gauge("minute_units", "Processing units that all members have spent this minute.",
		func(s ratelimit.Status) float64 { return s.Minute.Units })
	gauge("month_units", "Processing units that all members have spent this month.",
		func(s ratelimit.Status) float64 { return s.Month.Units })
	gauge("month_requests", "Requests of all members that succeeded this month.",
		func(s ratelimit.Status) float64 { return float64(s.Month.Requests) })
	gauge("slots", "Requests of all members that are under way, where their number is limited.",
		func(s ratelimit.Status) float64 { return float64(s.InUse) })
}
