package bench

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// BenchmarkShareRenewal is the processor time of a renewal whose token is shared in shared
// memory. The floor is the renewal alone. The endpoint answers at once, in the
// same process.
func BenchmarkShareRenewal(b *testing.B) {
	const life, renewals = 100 * time.Millisecond, 5 // each is renewed at half of its life
	measure := func(shared bool) func(*testing.B) {
		return func(b *testing.B) {
			e := newEndpoint(b, 0)
			e.lifetime = life
			s, err := shsession.New(e.config(true))
			if err != nil {
				b.Fatal(err)
			}
			if _, err := s.Token(b.Context()); err != nil {
				b.Fatal(err)
			}
			if shared {
				share(b, s)
			}
			cpu, before := processorTime(b), e.requests.Load()
			for range b.N * renewals {
				time.Sleep(life / 2)
				if !shared { // or nobody asks
					s.Token(b.Context())
				}
			}
			cpu = processorTime(b) - cpu
			b.ReportMetric(float64(cpu)/float64(e.requests.Load()-before), "cpu-ns/renewal")
			b.ReportMetric(0, "ns/op")
		}
	}
	beside(b, peer{floor, measure(false)}, peer{ours, measure(true)})
}

// BenchmarkShareIdle is the memory that a Sharing takes, beside the session's, and its goroutines.
func BenchmarkShareIdle(b *testing.B) {
	e := newEndpoint(b, 0)
	beside(b, peer{ours, func(b *testing.B) {
		s, err := shsession.New(e.config(true))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Token(b.Context()); err != nil {
			b.Fatal(err)
		}
		heap, goroutines := heapInUse(), runtime.NumGoroutine()
		share(b, s)
		b.ReportMetric(float64(heapInUse()-heap), "heap-B")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines")
		b.ReportMetric(0, "ns/op")
	}})
}

// share shares a session in a new segment until the benchmark ends.
func share(b *testing.B, s *shsession.Session) {
	b.Helper()
	store, _ := newSegment(b)
	sharing, err := shsession.Share(b.Context(), s, store)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := sharing.Close(); err != nil {
			b.Error(err)
		}
	})
}

// processorTime returns what this process has used since it started.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// heapInUse returns the bytes in use after a collection.
func heapInUse() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
