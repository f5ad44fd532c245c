package main

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// output is what a round prints, with times that are factor times the usual.
func roundOutput(oursNS, floorNS float64) string {
	return fmt.Sprintf(`goos: linux
cpu: Test Processor
BenchmarkFresh/alone/peer=shsession-2 	 100	 %g ns/op	 0 B/op	 0 allocs/op
BenchmarkFresh/alone/peer=floor-2     	 100	 %g ns/op
BenchmarkFresh/goroutines=10/peer=shsession-2 	 100	 %[1]g ns/op
BenchmarkFresh/goroutines=2/peer=shsession-2  	 100	 %[1]g ns/op
BenchmarkTokenSize/work=Token/KB=1/peer=shsession-2  	 100	 %[1]g ns/op
BenchmarkTokenSize/work=Token/KB=64/peer=shsession-2 	 100	 %[1]g ns/op
BenchmarkRenewal/peer=shsession-2 	 1	 2000000 p99-ns	 1.000 stalled/op
BenchmarkShareCommand/peer=shsession-2 	 1	 0 cpu-ns/s
PASS
skipped: no Redis
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
	if v, ok := m.value(key{"ShareCommand", ours, "cpu-sec/s"}); !ok || v.Median != 0 {
		t.Errorf("idle for %+v, want 0", v)
	}
	if !slices.Equal(m.skipped, []string{"no Redis"}) || m.cpu != "Test Processor" {
		t.Errorf("skipped %q, cpu %q", m.skipped, m.cpu)
	}
}

func near(a, b float64) bool { return a > 0.999*b && a < 1.001*b }

func TestFewRoundsGiveNoInterval(t *testing.T) {
	if e, ok := summarize([]float64{1, 2, 3}); !ok || e.bounded() || e.Median != 2 {
		t.Errorf("%+v, want a median of 2 without bounds", e)
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		factor float64
		want   string
	}{{1.1, "met"}, {1.2, "**missed**"}} {
		m := measured(t, c.factor)
		if _, _, got := judge(m, goals(m)[0]); got != c.want {
			t.Errorf("%g times the floor: %q, want %q", c.factor, got, c.want)
		}
	}
	m := measured(t, 1)
	verdicts := map[string]string{}
	for _, g := range goals(m) {
		_, _, verdicts[g.text] = judge(m, g)
	}
	for goal, want := range map[string]string{
		"Across a renewal, p99 of Token is under 1 ms":         "**missed**",
		"… and only the caller who renews waits":               "met",
		"A crowd at expiry makes one request":                  "not measured",
		"A fresh Token costs the same with 64 KB as with 1 KB": "met",
	} {
		if verdicts[goal] != want {
			t.Errorf("%s: %q, want %q", goal, verdicts[goal], want)
		}
	}
}

func TestRegressions(t *testing.T) {
	before := ratios(measured(t, 1.05))
	if len(before) != 1 {
		t.Fatalf("%d ratios, want the one there is", len(before))
	}
	for _, c := range []struct {
		factor float64
		want   int
	}{{1, 0}, {1.05, 0}, {1.3, 1}} {
		if got := regressions(before, ratios(measured(t, c.factor))); len(got) != c.want {
			t.Errorf("%g times the floor, which were 1.05: %d regressions, want %d", c.factor, len(got), c.want)
		}
	}
	if got := patternOf(before); got != "^Benchmark(Fresh)$" {
		t.Errorf("pattern %q", got)
	}
}

func TestWriteDocs(t *testing.T) {
	dir, m := t.TempDir(), measured(t, 1.1)
	path := filepath.Join(dir, "speed.md")
	if err := os.WriteFile(path, []byte("before\n"+beginMark+"old\n"+endMark+"after\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeDocs(dir, m); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for _, want := range []string{"before\n", "after\n", "Left out: no Redis", "| New, 2 goroutines |", "1.1 (1.1–1.1)"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "old\n") || strings.Index(text, "2 goroutines") > strings.Index(text, "10 goroutines") {
		t.Errorf("what was there before is still there, or the rows are out of order:\n%s", text)
	}
	for _, name := range []string{"speed.svg", "speed-growth.svg"} {
		checkXML(t, filepath.Join(dir, name))
	}
}

func checkXML(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dots := 0
	for decoder := xml.NewDecoder(f); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "circle" {
			dots++
		}
	}
	if dots < 4 {
		t.Errorf("%s has %d dots", path, dots)
	}
}

func TestFormatValue(t *testing.T) {
	for _, c := range []struct {
		value float64
		unit  string
		want  string
	}{
		{52.14e-9, "sec/op", "52.1 ns"}, {0, "sec/op", "0"}, {1.0712, "p99-sec", "1.07 s"}, {0.0123, "cpu-sec/s", "12.3 ms"},
		{9576448, "resident-B", "9.13 MiB"}, {344, "heap-B/follower", "344 B"}, {64, "stalled/op", "64"}, {1234, "requests/op", "1234"},
	} {
		if got := formatValue(c.value, c.unit); got != c.want {
			t.Errorf("%g %s: %q, want %q", c.value, c.unit, got, c.want)
		}
	}
}
