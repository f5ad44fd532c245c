package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// roundOutput is what a round prints in which these are the times of a fresh token.
func roundOutput(oursNS, floorNS float64) string {
	return fmt.Sprintf(`goos: linux
cpu: Test Processor
BenchmarkFresh/alone/peer=shsession-2 	 100	 %g ns/op	 0 B/op	 0 allocs/op
BenchmarkFresh/alone/peer=floor-2     	 100	 %g ns/op
BenchmarkFresh/goroutines=10/peer=shsession-2 	 100	 %[1]g ns/op
BenchmarkFresh/goroutines=2/peer=shsession-2  	 100	 %[1]g ns/op
BenchmarkFresh/goroutines=2/peer=floor-2  	 100	 %[2]g ns/op
BenchmarkTokenSize/work=Token/KB=1/peer=shsession-2  	 100	 %[1]g ns/op
BenchmarkTokenSize/work=Token/KB=64/peer=shsession-2 	 100	 %[1]g ns/op
BenchmarkRenewal/peer=shsession-2 	 1	 2000000 p99-ns	 1.000 stalled/op
BenchmarkIdle/peer=shsession-2 	 1	 0 cpu-ns/s
PASS
version: sentinelhub 3
skipped: BenchmarkRedis: no Redis
skipped: BenchmarkFresh/alone/peer=python: no Python
`, oursNS, floorNS)
}

// measured returns the measurements of ten rounds, in which we take factor times the floor's 50 ns, while
// the machine becomes ever slower.
func measured(t *testing.T, factor float64) *measurements {
	t.Helper()
	m := &measurements{rounds: 10, start: time.Now(), values: map[key][]float64{}}
	for round := range m.rounds {
		slow := 1 + float64(round)
		if err := m.add(round, []byte(roundOutput(50*factor*slow, 50*slow))); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func TestRatioIsTakenWithinRounds(t *testing.T) {
	m := measured(t, 1.5)
	e, ok := m.ratio(key{"Fresh/alone", ours, seconds}, key{"Fresh/alone", "floor", seconds})
	if !ok || e.Low < 1.49 || e.High > 1.51 {
		t.Errorf("ratio %+v, want 1.5 throughout", e)
	}
	v, ok := m.value(key{"Fresh/alone", ours, seconds})
	if !ok || !near(v.Median, 5.5*75e-9) || v.Low >= v.Median || v.High <= v.Median {
		t.Errorf("value %+v, want 412.5 ns within an interval", v)
	}
	if _, ok := m.ratio(key{"Fresh/alone", ours, seconds}, key{"Fresh/alone", "python", seconds}); ok {
		t.Error("a ratio to a peer that wasn't there")
	}
	if v, ok := m.value(key{"Idle", ours, ofCore}); !ok || v.Median != 0 {
		t.Errorf("idle for %+v, want 0", v)
	}
	if !slices.Equal(m.skippedReasons(), []string{"no Redis", "no Python"}) || m.cpu != "Test Processor" {
		t.Errorf("skipped %q, cpu %q", m.skipped, m.cpu)
	}
	for _, c := range []struct {
		work, peer string
		want       bool
	}{{"Redis/method=Load", ours, true}, {"Fresh/alone", "python", true}, {"Fresh/alone", "python-S", false}, {"Fresh/alone", ours, false}} {
		if got := m.hasSkipped(c.work, c.peer); got != c.want {
			t.Errorf("%s of %s skipped: %v", c.work, c.peer, got)
		}
	}
}

func near(a, b float64) bool { return a > 0.999*b && a < 1.001*b }

func TestFewRoundsGiveNoInterval(t *testing.T) {
	if e, ok := summarize([]float64{1, 2, 3}); !ok || e.bounded() || e.Median != 2 {
		t.Errorf("%+v, want a median of 2 without bounds", e)
	}
}

func TestNoRatioToNothing(t *testing.T) {
	m := &measurements{rounds: 3, values: map[key][]float64{}}
	for round, floor := range []float64{0, 0, 5} {
		m.put(round, key{"ShareIdle", ours, "heap-B"}, 40)
		m.put(round, key{"ShareIdle", "floor", "heap-B"}, floor)
	}
	if e, ok := m.ratio(key{"ShareIdle", ours, "heap-B"}, key{"ShareIdle", "floor", "heap-B"}); ok {
		t.Errorf("ratio %+v to what is nothing most of the time", e)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{".", "BenchmarkIdle", true}, {"Idle", "BenchmarkIdle", true}, {"Fresh", "BenchmarkIdle", false},
		{"Fresh/alone", "BenchmarkFresh/alone", true}, {"Fresh/alone", "BenchmarkFresh/goroutines=2", false},
		{"^BenchmarkFresh$/alone", "BenchmarkFreshBy/alone", false}, {"Fresh/alone", "BenchmarkFresh", true},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.name, got)
		}
	}
}

func TestVerdicts(t *testing.T) {
	absent := ", where measured: 1 goroutine, 8 goroutines, 64 goroutines are missing"
	for _, c := range []struct {
		factor float64
		want   string
	}{{1.1, "met" + absent}, {1.2, "**missed**; 1 goroutine, 8 goroutines, 64 goroutines are missing"}} {
		m := measured(t, c.factor)
		if got := judge(m, goals()[0]).verdict(); got != c.want {
			t.Errorf("%g times the floor: %q, want %q", c.factor, got, c.want)
		}
	}
	m := measured(t, 1)
	verdicts := map[string]string{}
	for _, g := range goals() {
		verdicts[g.text] = judge(m, g).verdict()
	}
	for goal, want := range map[string]string{
		"Across a renewal, p99 of Token is under 1 ms":         "**missed**",
		"… and only the caller who renews waits":               "met",
		"A crowd at expiry makes one request":                  "not measured",
		"A fresh Token costs the same with 64 KB as with 1 KB": "met",
		"An idle `share` takes less than 0.1 % of a core":      "met",
	} {
		if verdicts[goal] != want {
			t.Errorf("%s: %q, want %q", goal, verdicts[goal], want)
		}
	}
}

// A goal's verdict is the worst of its claims', which needn't be that of the worst median.
func TestJudgeTakesTheWorstVerdict(t *testing.T) {
	m := &measurements{rounds: 10, values: map[key][]float64{}}
	put := func(work string, ratios ...float64) {
		for round := range m.rounds {
			m.put(round, key{work, "floor", seconds}, 1)
			m.put(round, key{work, ours, seconds}, ratios[round%len(ratios)])
		}
	}
	g := goal{claims: []claim{beside("W/steady", "floor", 1.2), beside("W/wide", "floor", 1.2), beside("W/slow", "floor", 1.2)}}
	put("W/steady", 1.1)
	if got := judge(m, g).verdict(); got != "met, where measured: wide, slow are missing" {
		t.Errorf("%q with one of three", got)
	}
	put("W/wide", 0.7, 0.9, 0.9, 0.9, 1.3)
	if j := judge(m, g); j.finding != metBarely || j.measured != "0.9 (0.7–1.3): wide" {
		t.Errorf("%+v, want the one whose interval goes beyond", j)
	}
	put("W/slow", 1.19, 1.21, 1.22)
	if j := judge(m, g); j.finding != missedBarely || !strings.Contains(j.measured, "slow") {
		t.Errorf("%+v, want the one that is missed", j)
	}
	m = &measurements{rounds: 1, values: map[key][]float64{}}
	put("W/steady", 1.1)
	if j := judge(m, g); j.finding != metOnce {
		t.Errorf("%+v of one round", j)
	}
}

func TestWriteDocs(t *testing.T) {
	dir, m := t.TempDir(), measured(t, 1.1)
	path := filepath.Join(dir, "speed.md")
	if err := os.WriteFile(path, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	written, err := writeDocs(dir, m)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{"before\n", "after\n", "Left out: no Redis", "| 2 goroutines |", "1.1 (1.1–1.1)", "in 10 rounds", "sentinelhub 3", "](speed-growth.svg)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "old\n") || strings.Index(text, "2 goroutines") > strings.Index(text, "10 goroutines") {
		t.Errorf("what was there before is still there, or the rows are out of order:\n%s", text)
	}
	if len(written) != 4 {
		t.Errorf("%q written, want a page and three plots", written)
	}
}

func TestFormatValue(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{52.14e-9, "sec/op", "52.1 ns"}, {0, "sec/op", "0"}, {1.0712, "p99-sec", "1.07 s"}, {0.0123, "cpu-sec/read", "12.3 ms"},
		{9576448, "resident-B", "9.58 MB"}, {0.00034, ofCore, "0.034 %"}, {344, "heap-B/follower", "344 B"}, {64, "stalled/op", "64"}, {1234, "requests/op", "1234"},
	} {
		if got := formatValue(c.value, c.unit); got != c.want {
			t.Errorf("%g %s: %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}
