package main

import (
	"math"
	"slices"
	"strings"
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
	skipped []skip
	// versions are of the programs that the benchmarks alone find.
	versions []string
	values   map[key][]float64 // by round, NaN where there is none
	works    []string          // in the order in which they came first
}

// A skip is a benchmark that was left out, with all below its name, and why.
type skip struct{ name, reason string }

// skippedReasons returns why anything was left out, each reason once.
func (m *measurements) skippedReasons() []string {
	var reasons []string
	for _, s := range m.skipped {
		if !slices.Contains(reasons, s.reason) {
			reasons = append(reasons, s.reason)
		}
	}
	return reasons
}

// hasSkipped reports whether a peer's work was left out for a reason.
func (m *measurements) hasSkipped(work, peer string) bool {
	name := benchmarkPrefix + work + "/" + peerPrefix + peer
	return slices.ContainsFunc(m.skipped, func(s skip) bool { return strings.HasPrefix(name+"/", s.name+"/") })
}

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

// ratio estimates a quotient. Each of its samples is of one round. There is none if what it is
// divided by is ever nothing: a few rounds would stand for all.
func (m *measurements) ratio(over, under key) (estimate, bool) {
	a, b := m.values[over], m.values[under]
	if a == nil || b == nil {
		return estimate{}, false
	}
	ratios := make([]float64, len(a))
	for i := range a {
		if b[i] <= 0 {
			return estimate{}, false
		}
		ratios[i] = a[i] / b[i]
	}
	return summarize(ratios)
}

// leastRounds is how many it takes for an interval.
const leastRounds = 6

// bounded reports whether there were enough rounds for an interval.
func (e estimate) bounded() bool { return !math.IsInf(e.Low, 0) && !math.IsInf(e.High, 0) }
