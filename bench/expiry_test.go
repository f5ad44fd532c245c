package bench

import (
	"io"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"
)

// BenchmarkExpiry lets 1,000 callers ask at once for a token that has expired, with
// an endpoint that takes 50 ms: the requests that are made, and the time until the last caller
// has an answer. The floor is one request.
func BenchmarkExpiry(b *testing.B) {
	const callers = 1000
	peers := []peer{{floor, func(b *testing.B) {
		e := newEndpoint(b, endpointDelay)
		serial(floor, repeat(b, func() error { return postLogin(e) })).run(b)
		b.ReportMetric(1, "requests/op")
	}}}
	for _, m := range cacheMakers() {
		peers = append(peers, peer{m.name, func(b *testing.B) {
			e := newEndpoint(b, endpointDelay)
			var requests int64
			var took time.Duration
			for range b.N {
				ask := m.make(b, e, expired)
				e.reset()
				took += crowd(b, callers, ask)
				requests += e.requests.Load()
			}
			reportCrowd(b, took, requests)
		}})
	}
	beside(b, append(peers, peer{pythonSH, func(b *testing.B) {
		e := newEndpoint(b, endpointDelay)
		var requests int64
		var took time.Duration
		for range b.N {
			took += pythonCrowd(b, e, callers)
			requests += e.requests.Load()
		}
		reportCrowd(b, took, requests)
	}})...)
}

func reportCrowd(b *testing.B, took time.Duration, requests int64) {
	b.ReportMetric(float64(took)/float64(b.N), "ns/op")
	b.ReportMetric(float64(requests)/float64(b.N), "requests/op")
}

// crowd returns the time until the last of the callers has an answer.
func crowd(b *testing.B, callers int, ask ask) time.Duration {
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			<-gate
			if err := ask(b.Context()); err != nil {
				b.Error(err)
			}
		})
	}
	start := time.Now()
	close(gate)
	wg.Wait()
	return time.Since(start)
}

// postLogin is one token request, and no more.
func postLogin(e *endpoint) error {
	resp, err := http.PostForm(e.url, url.Values{
		"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {clientSecret},
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
