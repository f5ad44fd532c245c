package shm_test

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// published returns a segment with a token of the usual length.
func published(b *testing.B) string {
	name := newName(b)
	must(b, open(b, name).Publish(b.Context(), token(b, strings.Repeat("x", 1400))))
	b.Cleanup(func() { os.Remove(dir + name) })
	return name
}

// BenchmarkBareOpenReadClose is the least that a reader of the segment can do.
func BenchmarkBareOpenReadClose(b *testing.B) {
	path := dir + published(b)
	b.ReportAllocs()
	for b.Loop() {
		var buf [4096]byte
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := unix.Read(fd, buf[:]); err != nil {
			b.Fatal(err)
		}
		unix.Close(fd)
	}
}

// BenchmarkLoad reads a token that this Store has read before.
func BenchmarkLoad(b *testing.B) {
	s := open(b, published(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstLoad reads and parses a token that this Store hasn't read before.
func BenchmarkFirstLoad(b *testing.B) {
	name := published(b)
	b.ReportAllocs()
	for b.Loop() {
		s, err := shm.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCollect is BenchmarkLoad with a session made of the token.
func BenchmarkCollect(b *testing.B) {
	s := open(b, published(b))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := shsession.Collect(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	s := open(b, published(b))
	t := token(b, strings.Repeat("y", 1400))
	b.ReportAllocs()
	for b.Loop() {
		must(b, s.Publish(b.Context(), t))
	}
}

// BenchmarkPutBack deletes a segment that another process shares, and waits for it to be
// there again, now and then, as readers exit. It reports the median.
func BenchmarkPutBack(b *testing.B) {
	name := newName(b)
	sharer := startChild(b, "share", name)
	path := dir + name
	var gaps []time.Duration
	runtime.LockOSThread() // as a reader that exits is one thread
	defer runtime.UnlockOSThread()
	pause := time.NewTicker(2 * time.Millisecond)
	defer pause.Stop()
	for b.Loop() {
		<-pause.C
		must(b, unix.Unlink(path))
		start := time.Now()
		var st unix.Stat_t
		for unix.Lstat(path, &st) != nil {
		}
		gaps = append(gaps, time.Since(start))
	}
	sharer.Kill()
	must(b, shm.Remove(b.Context(), name))
	slices.Sort(gaps)
	b.ReportMetric(float64(gaps[len(gaps)/2].Nanoseconds())/1000, "median-µs")
	b.ReportMetric(float64(gaps[len(gaps)*99/100].Nanoseconds())/1000, "p99-µs")
}
