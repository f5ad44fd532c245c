package metrics

import "github.com/prometheus/client_golang/prometheus"

// An EndpointStatus counts the answers of a token endpoint for other programs.
type EndpointStatus struct {
	Handed      uint64 // answers with a token
	Clients     uint64 // clients: answers with the latest token, or with the token before it if those are more
	Refused     uint64 // requests with wrong credentials
	Unavailable uint64 // requests for which there was no token
}

// CountEndpoint adds the metrics of a token endpoint. Call it once at most, before Serve.
// status is called on every scrape and must not block.
func (m *Metrics) CountEndpoint(status func() EndpointStatus) {
	count := func(name, help string, n func(EndpointStatus) uint64) {
		m.registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Name: "shsession_endpoint_" + name, Help: help},
			func() float64 { return float64(n(status())) },
		))
	}
	count("tokens_total", "Times the token endpoint handed out a token.",
		func(s EndpointStatus) uint64 { return s.Handed })
	count("refused_total", "Token requests with wrong credentials, which the token endpoint refused.",
		func(s EndpointStatus) uint64 { return s.Refused })
	count("unavailable_total", "Token requests for which the token endpoint had no token.",
		func(s EndpointStatus) uint64 { return s.Unavailable })
	m.registry.MustRegister(prometheus.NewGaugeFunc(
		prometheus.GaugeOpts{
			Name: "shsession_endpoint_clients",
			Help: "Times the token endpoint handed out its latest token, or the one before if that is more: once to each client that keeps it.",
		},
		func() float64 { return float64(status().Clients) },
	))
}
