package bench

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

// The names of the peers. The report puts them in this order.
const (
	floor     = "floor"
	ours      = "shsession"
	xoauth2   = "x-oauth2"
	cloud     = "cloud-auth"
	awsSDK    = "aws-sdk"
	pythonSH  = "python"
	xRate     = "x-rate"
	redisRate = "redis_rate"
	devShm    = "dev-shm"
)

// A peer is one way to do the work of a benchmark.
type peer struct {
	name string
	run  func(*testing.B)
}

// A work is one of several in a benchmark. Its name ends the benchmark's.
type work struct {
	name string
	run  func(*testing.B)
}

// each does the works in random order.
func each(b *testing.B, works ...work) {
	for _, w := range shuffled(works...) {
		b.Run(w.name, w.run)
	}
}

// shuffled returns the elements in random order. All that is run one after another is, so that
// what changes on the machine meanwhile, or is left by one for the next, favours none.
func shuffled[E any](elements ...E) []E {
	elements = slices.Clone(elements)
	rand.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
	return elements
}

// beside runs the peers one after another, in random order.
func beside(b *testing.B, peers ...peer) {
	for _, p := range shuffled(peers...) {
		b.Run("peer="+p.name, p.run)
	}
}

// A loop does some work n times and reports whether all went well. The loop is
// inside, so that what it costs to call it isn't measured.
type loop func(n int) bool

// serial returns a peer that does b.N loops.
func serial(name string, l loop) peer {
	return peer{name, func(b *testing.B) {
		b.ReportAllocs()
		if !l(b.N) {
			b.Fatal("the work failed")
		}
	}}
}

// parallel returns a peer that divides b.N loops among goroutines.
func parallel(name string, goroutines int, l loop) peer {
	return peer{name, func(b *testing.B) {
		var wg sync.WaitGroup
		for i := range goroutines {
			n := b.N / goroutines
			if i < b.N%goroutines {
				n++
			}
			wg.Go(func() {
				if !l(n) {
					b.Error("the work failed")
				}
			})
		}
		wg.Wait()
	}}
}

// repeat makes a loop of work that costs so much more than a call that the call
// doesn't matter. The last error is the benchmark's.
func repeat(b *testing.B, work func() error) loop {
	return func(n int) bool {
		for range n {
			if err := work(); err != nil {
				b.Error(err)
				return false
			}
		}
		return true
	}
}

// reportQuantiles reports the median of some latencies and their tail.
func reportQuantiles(b *testing.B, latencies []time.Duration) {
	slices.Sort(latencies)
	for _, q := range []struct {
		unit string
		part float64
	}{{"p50-ns", 0.5}, {"p99-ns", 0.99}, {"p99.9-ns", 0.999}} {
		i := min(int(q.part*float64(len(latencies))), len(latencies)-1)
		b.ReportMetric(float64(latencies[i]), q.unit)
	}
}
