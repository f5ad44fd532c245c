package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
	"golang.org/x/perf/benchunit"
)

// A runner runs the benchmarks, which it compiles once.
type runner struct {
	dir       string // temporary
	benchtime string
}

func newRunner(benchtime string) (*runner, error) {
	dir, err := os.MkdirTemp("", "shsession-report-")
	if err != nil {
		return nil, err
	}
	r := &runner{dir, benchtime}
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
	for round := range rounds {
		start := time.Now()
		output, err := r.round(ctx, pattern)
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

// round runs each benchmark once and returns the output.
func (r *runner) round(ctx context.Context, pattern string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, r.binary(), "-test.run=^$", "-test.bench="+pattern,
		"-test.benchtime="+r.benchtime, "-test.shuffle=on", "-test.timeout=10m")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), "SHSESSION_BENCH_DIR="+r.dir)
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
		if reason, ok := strings.CutPrefix(strings.TrimSpace(line), "skipped: "); ok && !m.hasSkipped(reason) {
			m.skipped = append(m.skipped, reason)
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
		if name, ok := strings.CutPrefix(text, "/peer="); ok {
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
