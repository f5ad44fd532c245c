package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"
)

// What the names of benchmarks, and of the peers in them, begin with.
const (
	benchmarkPrefix = "Benchmark"
	peerPrefix      = "peer="
)

// idleBenchmark takes minutes, and so it runs once, before the rounds.
const idleBenchmark = benchmarkPrefix + "Idle"

// A runner runs the benchmarks, which it compiles once.
type runner struct {
	dir       string // temporary
	benchtime string
	idle      time.Duration // how long idle programs are watched, 0 for not at all
}

func newRunner(benchtime string, idle time.Duration) (*runner, error) {
	dir, err := os.MkdirTemp("", "shsession-report-")
	if err != nil {
		return nil, err
	}
	r := &runner{dir, benchtime, idle}
	compile := exec.Command("go", "test", "-c", "-o", r.binary(), ".")
	compile.Stderr = os.Stderr
	if err := compile.Run(); err != nil {
		r.close()
		return nil, fmt.Errorf("compiling the benchmarks: %w", err)
	}
	return r, nil
}

func (r *runner) binary() string { return filepath.Join(r.dir, "bench.test") }

func (r *runner) close() { os.RemoveAll(r.dir) }

// measure runs the benchmarks that match a pattern for some rounds.
func (r *runner) measure(ctx context.Context, pattern string, rounds int) (*measurements, error) {
	m := &measurements{rounds: rounds, start: time.Now(), values: map[key][]float64{}}
	if matches(pattern, idleBenchmark) && r.idle > 0 {
		fmt.Fprintf(os.Stderr, "watching idle programs for %v\n", r.idle)
		output, err := r.round(ctx, "^"+idleBenchmark+"$", "^$")
		if err != nil {
			return nil, err
		}
		if err := m.add(0, output); err != nil {
			return nil, err
		}
	}
	for round := range rounds {
		start := time.Now()
		output, err := r.round(ctx, pattern, "^"+idleBenchmark+"$")
		if err != nil {
			return nil, err
		}
		if err := m.add(round, output); err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "round %d of %d: %v\n", round+1, rounds, time.Since(start).Round(time.Second))
	}
	if len(m.values) == 0 {
		return nil, fmt.Errorf("no benchmark matches %q", pattern)
	}
	return m, nil
}

// matches reports whether a pattern, as go test takes it, matches a benchmark's name or something
// below it.
func matches(pattern, name string) bool {
	parts := strings.Split(name, "/")
	for i, p := range strings.Split(pattern, "/") {
		if i >= len(parts) {
			break
		}
		if ok, err := regexp.MatchString(p, parts[i]); err == nil && !ok { // or go test will say it
			return false
		}
	}
	return true
}

// round runs each benchmark once, except for some, and returns the output.
func (r *runner) round(ctx context.Context, pattern, except string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, r.binary(), "-test.run=^$", "-test.bench="+pattern, "-test.skip="+except,
		"-test.benchtime="+r.benchtime, "-test.shuffle=on", "-test.timeout=10m")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), "SHSESSION_BENCH_DIR="+r.dir, "SHSESSION_BENCH_IDLE="+r.idle.String())
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the benchmarks failed: %w\n%s", err, output)
	}
	return output, nil
}

// add takes over what a round has measured.
func (m *measurements) add(round int, output []byte) error {
	for line := range strings.Lines(string(output)) {
		if version, ok := strings.CutPrefix(strings.TrimSpace(line), "version: "); ok && !slices.Contains(m.versions, version) {
			m.versions = append(m.versions, version)
		}
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "skipped: "); ok {
			name, reason, _ := strings.Cut(text, ": ")
			if s := (skip{name, reason}); !slices.Contains(m.skipped, s) {
				m.skipped = append(m.skipped, s)
			}
		}
	}
	reader := benchfmt.NewReader(bytes.NewReader(output), "benchmarks")
	for reader.Scan() {
		switch record := reader.Result().(type) {
		case *benchfmt.SyntaxError:
			return record
		case *benchfmt.Result:
			m.addResult(round, record)
		}
	}
	return reader.Err()
}

// addResult takes over one line: BenchmarkWork/more=work/peer=name-2.
func (m *measurements) addResult(round int, result *benchfmt.Result) {
	if m.cpu = result.GetConfig("cpu"); m.cpu == "" {
		m.cpu = result.GetConfig("goarch")
	}
	base, parts := result.Name.Parts()
	work, peer := []string{string(base)}, ""
	for _, part := range parts {
		text := string(part)
		if name, ok := strings.CutPrefix(text, "/"+peerPrefix); ok {
			peer = name
		} else if strings.HasPrefix(text, "/") {
			work = append(work, text[1:])
		}
	}
	for _, v := range result.Values {
		_, unit := benchunit.Tidy(0, v.Unit) // which benchfmt doesn't do where the value is 0
		m.put(round, key{strings.Join(work, "/"), peer, unit}, v.Value)
	}
}
