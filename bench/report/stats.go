package main

import (
	"math"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
)

// ours is the peer that the others are compared with.
const ours = "shsession"

// A key names what is measured: some work, done by a peer, in a unit.
type key struct{ work, peer, unit string }

// measurements are what some rounds have brought.
type measurements struct {
	rounds  int
	start   time.Time
	cpu     string
	skipped []string          // why some peers are missing
	values  map[key][]float64 // by round, NaN where there is none
	works   []string          // in the order in which they came first
}

func (m *measurements) hasSkipped(reason string) bool { return slices.Contains(m.skipped, reason) }

func (m *measurements) put(round int, k key, v float64) {
	values := m.values[k]
	if values == nil {
		values = slices.Repeat([]float64{math.NaN()}, m.rounds)
		m.values[k] = values
		if !slices.Contains(m.works, k.work) {
			m.works = append(m.works, k.work)
		}
	}
	values[round] = v
}

// An estimate is a median, and the interval that holds the true one with 95 % confidence. The
// interval is infinite if there were too few rounds.
type estimate struct{ Median, Low, High float64 }

func summarize(values []float64) (estimate, bool) {
	known := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	if len(known) == 0 {
		return estimate{}, false
	}
	s := benchmath.AssumeNothing.Summary(benchmath.NewSample(known, &benchmath.DefaultThresholds), 0.95)
	return estimate{s.Center, s.Lo, s.Hi}, true
}

// value estimates what k names.
func (m *measurements) value(k key) (estimate, bool) { return summarize(m.values[k]) }

// ratio estimates a quotient. Each of its samples is of one round.
func (m *measurements) ratio(over, under key) (estimate, bool) {
	a, b := m.values[over], m.values[under]
	if a == nil || b == nil {
		return estimate{}, false
	}
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
		if b[i] == 0 { // there's no telling how many times nothing that is
			ratios[i] = math.NaN()
		}
	}
	return summarize(ratios)
}

// bounded reports whether there were enough rounds for an interval.
func (e estimate) bounded() bool { return !math.IsInf(e.Low, 0) && !math.IsInf(e.High, 0) }
