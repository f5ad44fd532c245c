package bench

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// settle is how long a program has to come to rest after its first line.
const settle = 100 * time.Millisecond

// idleVariable says how long BenchmarkIdle watches, which the report has it do for some minutes.
const idleVariable = "SHSESSION_BENCH_IDLE"

// A sharer is a program that shares a token and does nothing else, or, as the floor, nothing at all.
type sharer struct {
	name  string
	start func(b *testing.B) *exec.Cmd // until the benchmark ends
}

func sharers(b *testing.B) []sharer {
	env := environment(b, newEndpoint(b, 0).url)
	start := func(b *testing.B, argv ...string) *exec.Cmd {
		cmd := command(env, argv...)
		startProgram(b, cmd)
		return cmd
	}
	return []sharer{
		{floor, func(b *testing.B) *exec.Cmd { return start(b, program(b, "hello"), "wait") }},
		{ours, func(b *testing.B) *exec.Cmd {
			_, segment := newSegment(b)
			return start(b, program(b, "shsession"), "share", "--name", segment)
		}},
		{pythonSH, func(b *testing.B) *exec.Cmd {
			_, segment := newSegment(b)
			python, err := findPython()
			if err != nil {
				theRig.skip(b, err.Error())
			}
			return start(b, python, filepath.Join("testdata", "share.py"), segment)
		}},
	}
}

// BenchmarkShareCommand is the memory of a process that shares a token. The floor is a program in Go that
// waits.
func BenchmarkShareCommand(b *testing.B) {
	var peers []peer
	for _, s := range sharers(b) {
		peers = append(peers, peer{s.name, func(b *testing.B) {
			cmd := s.start(b)
			time.Sleep(settle)
			b.ReportMetric(residentBytes(b, cmd.Process.Pid), "resident-B")
			b.ReportMetric(0, "ns/op")
		}})
	}
	beside(b, peers...)
}

// BenchmarkIdle is what the same processes cost while nothing happens. They are all watched at the same
// time, since ours wakes only once a minute.
func BenchmarkIdle(b *testing.B) {
	window := 300 * time.Millisecond
	if text := os.Getenv(idleVariable); text != "" {
		var err error
		if window, err = time.ParseDuration(text); err != nil {
			b.Fatal(err)
		}
	}
	type usage struct {
		pid int
		cpu time.Duration
	}
	watched := map[string]*usage{}
	for _, s := range sharers(b) {
		if _, err := findPython(); err != nil && s.name == pythonSH {
			continue // which the peer says below
		}
		watched[s.name] = &usage{pid: s.start(b).Process.Pid}
	}
	time.Sleep(settle)
	for _, u := range watched {
		u.cpu = -ranFor(b, u.pid)
	}
	time.Sleep(window)
	for _, u := range watched {
		u.cpu += ranFor(b, u.pid)
	}
	for _, name := range []string{floor, ours, pythonSH} {
		b.Run("peer="+name, func(b *testing.B) {
			u := watched[name]
			if u == nil {
				needPython(b)
			}
			b.ReportMetric(float64(u.cpu)/window.Seconds(), "cpu-ns/s")
			b.ReportMetric(residentBytes(b, u.pid), "resident-B")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkShareChurn is what it costs an idle sharer that somebody else makes and removes files in
// /dev/shm without pause, of each of which the kernel tells it. The floor is what that costs the one who does it.
func BenchmarkShareChurn(b *testing.B) {
	peers := []peer{{floor, func(b *testing.B) {
		before := processorTime(b)
		pairs := churn(b)
		reportPairs(b, processorTime(b)-before, pairs)
	}}}
	for _, s := range sharers(b) {
		if s.name == floor {
			continue // it watches nothing
		}
		peers = append(peers, peer{s.name, func(b *testing.B) {
			pid := s.start(b).Process.Pid
			time.Sleep(settle)
			b.ResetTimer()
			before := ranFor(b, pid)
			pairs := churn(b)
			after := ranFor(b, pid)
			for last := before; after != last; after = ranFor(b, pid) { // it may be behind
				last = after
				time.Sleep(settle / 5)
			}
			reportPairs(b, after-before, pairs)
		}})
	}
	beside(b, peers...)
}

// churn makes and removes files, and returns how many.
func churn(b *testing.B) int {
	const each = 1000
	path := segmentPath("bench-churn-" + rand.Text())
	for range b.N * each {
		fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		unix.Close(fd)
		if err := unix.Unlink(path); err != nil {
			b.Fatal(err)
		}
	}
	return b.N * each
}

func reportPairs(b *testing.B, cpu time.Duration, pairs int) {
	b.ReportMetric(float64(cpu)/float64(pairs), "cpu-ns/file")
	b.ReportMetric(0, "ns/op")
}

// ranFor returns how long a process's threads have run, all together.
func ranFor(b *testing.B, pid int) time.Duration {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		theRig.skip(b, "this kernel doesn't tell how long a thread has run")
	}
	var sum time.Duration
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// residentBytes returns the memory of a process: its own pages, and those of files that it has touched.
func residentBytes(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024
		}
	}
	theRig.skip(b, "this kernel doesn't tell a process's memory")
	return 0
}
