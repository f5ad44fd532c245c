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
	floor    = "floor"
	ours     = "shsession"
	xoauth2  = "x-oauth2"
	cloud    = "cloud-auth"
	awsSDK   = "aws-sdk"
	pythonSH = "python"
)

// A peer is one way to do the work of a benchmark.
type peer struct {
	name string
	run  func(*testing.B)
}

// beside runs the peers one after another, in random order, so that what changes
// on the machine meanwhile favours none of them.
func beside(b *testing.B, peers ...peer) {
	rand.Shuffle(len(peers), func(i, j int) { peers[i], peers[j] = peers[j], peers[i] })
	for _, p := range peers {
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
		b.ReportAllocs()
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
