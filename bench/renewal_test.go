package bench

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	endpointDelay  = 50 * time.Millisecond
	renewalCallers = 64
	callInterval   = time.Millisecond
)

// A call is one call of a caller.
type call struct {
	start time.Time
	took  time.Duration
}

// BenchmarkRenewal has 64 callers ask every millisecond, while the token becomes due
// for renewal at an endpoint that takes 50 ms. It measures the calls that overlap
// the renewal: how long they took, and how many callers one of them held up
// for more than 10 ms.
func BenchmarkRenewal(b *testing.B) {
	var peers []peer
	for _, m := range cacheMakers() {
		peers = append(peers, peer{m.name, func(b *testing.B) {
			e := newEndpoint(b, endpointDelay)
			measureRenewals(b, e, func() [][]call {
				ask := m.make(b, e, dueSoon)
				e.reset()
				return callThroughRenewal(b, e, ask)
			})
		}})
	}
	beside(b, append(peers, peer{pythonSH, func(b *testing.B) {
		e := newEndpoint(b, endpointDelay)
		measureRenewals(b, e, func() [][]call { return pythonRenewal(b, e) })
	}})...)
}

// measureRenewals reports on b.N renewals, each of which returns its callers' calls.
func measureRenewals(b *testing.B, e *endpoint, renewal func() [][]call) {
	var latencies []time.Duration
	var stalled, requests int64
	for range b.N {
		callers := renewal()
		requests += e.requests.Load()
		began, ended := e.underway()
		for _, calls := range callers {
			var longest time.Duration
			for _, c := range calls {
				if c.start.After(ended) || c.start.Add(c.took).Before(began) {
					continue
				}
				latencies = append(latencies, c.took)
				longest = max(longest, c.took)
			}
			if longest > 10*time.Millisecond {
				stalled++
			}
		}
	}
	if len(latencies) == 0 {
		b.Fatal("no call during a renewal")
	}
	reportQuantiles(b, latencies)
	b.ReportMetric(float64(stalled)/float64(b.N), "stalled/op")
	b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
	b.ReportMetric(0, "ns/op") // how long it takes is the endpoint's business
}

// callThroughRenewal calls until a renewal has ended.
func callThroughRenewal(b *testing.B, e *endpoint, ask ask) [][]call {
	var over atomic.Bool
	callers := make([][]call, renewalCallers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			calls := make([]call, 0, 1024)
			for !over.Load() {
				start := time.Now()
				if err := ask(b.Context()); err != nil {
					b.Error(err)
					return
				}
				calls = append(calls, call{start, time.Since(start)})
				time.Sleep(callInterval)
			}
			callers[i] = calls
		})
	}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(callInterval) {
		if _, ended := e.underway(); !ended.IsZero() {
			break
		}
		if time.Now().After(deadline) {
			b.Error("no renewal")
			break
		}
	}
	over.Store(true)
	wg.Wait()
	return callers
}
