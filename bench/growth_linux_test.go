package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// BenchmarkTokenSize grows the token from 1 KB to 64 KB. A fresh Token should cost
// the same, and the rest grow in line with the size.
func BenchmarkTokenSize(b *testing.B) {
	var works []work
	for _, kb := range []int{1, 4, 16, 64} {
		sized := func(name string, run func(*testing.B, int)) work {
			return work{fmt.Sprintf("work=%s/KB=%d", name, kb), func(b *testing.B) { run(b, kb<<10) }}
		}
		works = append(works, sized("Token", func(b *testing.B, size int) {
			s := shsession.FromToken(issue(b, size, 0, hour))
			beside(b, serial(floor, floorLoop()), serial(ours, sessionLoop(b.Context(), s)))
		}), sized("Collect", func(b *testing.B, size int) {
			beside(b, readerPeers(b, size, collectAnew(b))...)
		}), sized("Publish", publishers))
	}
	each(b, works...)
}

// BenchmarkReaders has 1 to 64 processes read the token all the time, each with a
// Store of its own. It reports the processor time of one Collect.
func BenchmarkReaders(b *testing.B) {
	for _, n := range shuffled(1, 4, 16, 64) {
		b.Run(fmt.Sprintf("readers=%d", n), func(b *testing.B) {
			name := publish(b, tokenSize)
			readers := func(role string) peer {
				return peer{role, func(b *testing.B) { measureReaders(b, n, role, name) }}
			}
			beside(b, readers(floor), readers(ours))
		})
	}
}

const readFor = 100 * time.Millisecond

func measureReaders(b *testing.B, n int, role, segment string) {
	var reads, cpu int64
	for range b.N {
		r, c := runReaders(b, n, role, segment)
		reads, cpu = reads+r, cpu+c
	}
	b.ReportMetric(float64(cpu)/float64(reads), "cpu-ns/read")
	b.ReportMetric(0, "ns/op")
}

// runReaders runs n processes that start to read at the same time, and returns how often they did
// and the processor time that took.
func runReaders(b *testing.B, n int, role, segment string) (reads, cpu int64) {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	gates := make([]io.WriteCloser, n)
	outputs := make([]*bufio.Reader, n)
	for i := range n {
		cmd := exec.CommandContext(b.Context(), self)
		cmd.Env = append(os.Environ(), roleVariable+"="+role, segmentVariable+"="+segment)
		cmd.Stderr = os.Stderr
		in, inErr := cmd.StdinPipe()
		out, outErr := cmd.StdoutPipe()
		if inErr != nil || outErr != nil {
			b.Fatal(inErr, outErr)
		}
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		defer cmd.Wait()
		defer in.Close()
		gates[i], outputs[i] = in, bufio.NewReader(out)
	}
	for _, out := range outputs {
		if line, err := out.ReadString('\n'); err != nil || line != "ready\n" {
			b.Fatalf("a reader said %q, %v", line, err)
		}
	}
	for _, gate := range gates {
		gate.Close()
	}
	for _, out := range outputs {
		var r, c int64
		if _, err := fmt.Fscan(out, &r, &c); err != nil {
			b.Fatal(err)
		}
		reads, cpu = reads+r, cpu+c
	}
	return reads, cpu
}

const (
	roleVariable    = "SHSESSION_BENCH_ROLE"
	segmentVariable = "SHSESSION_BENCH_SEGMENT"
)

// play is a reader's main: it says that it's ready, waits for the end of its input, reads for a while,
// and says how often it did and what that cost.
func play(role string) int {
	read := reader(role, os.Getenv(segmentVariable))
	err := read()
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	reads, before := 0, usedByThisProcess()
	for end := time.Now().Add(readFor); err == nil && time.Now().Before(end); reads += 16 {
		for range 16 {
			if err = read(); err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(reads, usedByThisProcess()-before)
	return 0
}

func reader(role, segment string) func() error {
	if role == floor {
		buf := make([]byte, 8192)
		return func() error { return openReadClose(segmentPath(segment), buf) }
	}
	store, err := shm.Open(segment)
	if err != nil {
		return func() error { return err }
	}
	return func() error {
		_, err := store.Load(context.Background())
		return err
	}
}

func usedByThisProcess() int64 {
	var usage unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

// BenchmarkFollowers gives 1 to 10,000 sessions of one process their first token
// from one Store, and reports time and memory for each of them.
func BenchmarkFollowers(b *testing.B) {
	for _, n := range shuffled(1, 10, 100, 1000, 10_000) {
		b.Run(fmt.Sprintf("followers=%d", n), func(b *testing.B) {
			name := publish(b, tokenSize)
			beside(b, peer{floor, func(b *testing.B) {
				buf := make([]byte, 8192)
				for range b.N {
					for range n {
						if err := openReadClose(segmentPath(name), buf); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N*n), "ns/follower")
				b.ReportMetric(0, "ns/op")
			}}, peer{ours, func(b *testing.B) { measureFollowers(b, n, name) }})
		})
	}
}

func measureFollowers(b *testing.B, n int, segment string) {
	store, err := shm.Open(segment)
	if err != nil {
		b.Fatal(err)
	}
	sessions := make([]*shsession.Session, n)
	heap := heapInUse()
	b.ResetTimer()
	for range b.N {
		for i := range sessions {
			sessions[i] = shsession.Follow(store)
			if _, err := sessions[i].Token(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed())/float64(b.N*n), "ns/follower")
	b.ReportMetric(0, "ns/op")
	if n >= 100 { // fewer are lost in the process's own memory
		b.ReportMetric(float64(heapInUse()-heap)/float64(n), "heap-B/follower")
	}
	runtime.KeepAlive(sessions)
}
