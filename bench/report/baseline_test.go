package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// doctored writes the baseline of some measurements, changed, and returns its path.
func doctored(t *testing.T, m *measurements, change func(*record)) string {
	t.Helper()
	b := baseline{Machine: "test", Measured: records(m)}
	for i := range b.Measured {
		change(&b.Measured[i])
	}
	return saved(t, b)
}

func saved(t *testing.T, all ...baseline) (path string) {
	t.Helper()
	data, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "baseline.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A machine of any kind may be as slow as the slowest in the baseline. A new measurement replaces that of its own kind.
func TestMachines(t *testing.T) {
	fast, slow := measured(t, 1), measured(t, 1.5)
	path := saved(t, baseline{Machine: "fast", Measured: records(fast)}, baseline{Machine: "slow", Measured: records(slow)})
	checked := func(now float64) error {
		return check(func(string) (*measurements, error) { return measured(t, now), nil }, options{bench: ".", baseline: path})
	}
	if err := checked(1.5); err != nil {
		t.Errorf("as on the slow machine: %v", err)
	}
	if checked(2) == nil {
		t.Error("slower than on both passes")
	}
	for range 2 {
		if err := writeBaseline(path, measured(t, 2)); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := readBaselines(path); err != nil || len(all) != 3 {
		t.Errorf("%d baselines, %v", len(all), err)
	}
	if err := checked(2); err != nil {
		t.Errorf("as on this machine: %v", err)
	}
}

func TestRecords(t *testing.T) {
	var names []string
	for _, r := range records(measured(t, 1.05)) {
		names = append(names, r.name())
	}
	for _, want := range []string{"Fresh, alone, time, beside floor", "Fresh, alone, allocs", "Renewal, stalled"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %q among %q", want, names)
		}
	}
}

func TestCheck(t *testing.T) {
	ofFloor := func(r *record) bool { return r.Work == "Fresh/alone" && r.Peer == "floor" }
	for _, c := range []struct {
		name   string
		change func(*record)
		now    []float64 // our time divided by the floor's, when measured first and then again
		want   string
	}{
		{"as before", func(*record) {}, []float64{1}, ""},
		{"a tenth slower", func(*record) {}, []float64{1.1, 1.1}, "worse"},
		{"slower by chance", func(*record) {}, []float64{1.3, 1}, ""},
		{"much slower than what varied more", func(r *record) {
			if ofFloor(r) {
				r.Low, r.High = 0.3, 4
			}
		}, []float64{1.3, 1.3}, "worse"},
		{"a little slower than what varied much", func(r *record) { r.Low, r.High = 0.3, 4 }, []float64{1.1}, ""},
		{"another benchmark", func(r *record) {
			if ofFloor(r) {
				r.Work = "Gone/alone"
			}
		}, []float64{1}, "any more"},
		{"another peer", func(r *record) {
			if ofFloor(r) {
				r.Peer = "x-oauth2"
			}
		}, []float64{1}, "any more"},
		{"a peer that is left out for a reason", func(r *record) {
			if ofFloor(r) {
				r.Peer = "python"
			}
		}, []float64{1}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, calls := doctored(t, measured(t, 1), c.change), 0
			err := check(func(string) (*measurements, error) {
				calls++
				return measured(t, c.now[calls-1]), nil
			}, options{bench: ".", baseline: path})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if calls != len(c.now) {
				t.Errorf("measured %d times, want %d", calls, len(c.now))
			}
		})
	}
}

// What is nothing stays nothing, and what is counted stays as it is.
func TestCheckOfWhatIsNoRatio(t *testing.T) {
	for _, c := range []struct {
		unit        string
		before, now float64
		worse       bool
	}{
		{"allocs/op", 0, 0, false}, {"allocs/op", 0, 1, true}, {"allocs/op", 12, 12, false}, {"allocs/op", 12, 13, true},
		{"allocs/op", 380, 383, false}, {"goroutines", 4, 5, true}, {"goroutines", 4, 3, false},
		{"heap-B", 30e3, 32e3, false}, {"heap-B", 30e3, 40e3, true}, {"resident-B", 15e6, 17e6, true},
	} {
		measuredAt := func(v float64) *measurements {
			m := &measurements{rounds: 10, values: map[key][]float64{}}
			for round := range m.rounds {
				m.put(round, key{"Work", ours, c.unit}, v)
			}
			return m
		}
		before := records(measuredAt(c.before))
		if len(before) != 1 {
			t.Fatalf("%s: %+v", c.unit, before)
		}
		if worse, _ := regressions(before, measuredAt(c.now)); len(worse) > 0 != c.worse {
			t.Errorf("%s from %g to %g: worse %v", c.unit, c.before, c.now, worse)
		}
	}
}

func TestCheckOfNothing(t *testing.T) {
	path := doctored(t, measured(t, 1), func(*record) {})
	never := func(string) (*measurements, error) {
		t.Error("measured without need")
		return nil, errors.New("measured")
	}
	if err := check(never, options{bench: "Nonesuch", baseline: path}); err == nil {
		t.Error("a pattern that matches nothing in the baseline passes")
	}
	if err := run(t.Context(), options{bench: ".", baseline: path, rounds: leastRounds - 1, check: true}); err == nil {
		t.Error("too few rounds for an interval pass")
	}
}

func TestPatternOf(t *testing.T) {
	if got := patternOf([]record{{Work: "Fresh/alone"}, {Work: "Fresh/goroutines=2"}, {Work: "Idle"}}); got != "^Benchmark(Fresh|Idle)$" {
		t.Errorf("pattern %q", got)
	}
}
