package ratelimit

import (
	"math"
	"strconv"
	"sync"
)

// maxPaths is how many paths a mean is kept for. The others have one in common.
const maxPaths = 256

// weight is the weight of the last request in a mean.
const weight = 0.2

// means are the running means of what requests to each path have cost, in units.
type means struct {
	mu     sync.Mutex // guards byPath
	byPath map[string]float64
}

// of returns the expected cost of a request to the path, 1 if it is unknown.
func (m *means) of(path string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mean, ok := m.byPath[path]; ok {
		return mean
	}
	if mean, ok := m.byPath[""]; ok {
		return mean
	}
	return 1
}

// add corrects the path's mean.
func (m *means) add(path string, units float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byPath == nil {
		m.byPath = map[string]float64{}
	}
	if _, ok := m.byPath[path]; !ok && len(m.byPath) >= maxPaths-1 { // one is for the others
		path = ""
	}
	if mean, ok := m.byPath[path]; ok {
		units = mean + weight*(units-mean)
	}
	m.byPath[path] = units
}

// parseUnits reads a number of units that a header says.
func parseUnits(text string) (float64, bool) {
	units, err := strconv.ParseFloat(text, 64)
	if err != nil || !(units >= 0) || math.IsInf(units, 0) { // NaN too
		return 0, false
	}
	return units, true
}
