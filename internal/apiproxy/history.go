package apiproxy

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// kept is how many requests a history goes back.
const kept = 1000

// A history has the last requests. The zero history is empty.
type history struct {
	mu      sync.Mutex // guards the fields below
	last    [kept]record
	counted uint64 // all that there ever were
}

type record struct {
	code int
	took time.Duration
	at   time.Time
}

func (h *history) add(code int, took time.Duration) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last[h.counted%kept] = record{code, took, now}
	h.counted++
}

// A codeSummary is what became of the last requests with one status.
type codeSummary struct {
	Code   int
	Count  int
	Median time.Duration
	Max    time.Duration
	Last   time.Time
}

// byCode summarises the last requests by status, and counts all.
func (h *history) byCode() (summaries []codeSummary, counted uint64) {
	h.mu.Lock()
	counted = h.counted
	last := slices.Clone(h.last[:min(counted, kept)])
	h.mu.Unlock()
	slices.SortFunc(last, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.code, b.code), cmp.Compare(a.took, b.took))
	})
	for len(last) > 0 {
		n := slices.IndexFunc(last, func(r record) bool { return r.code != last[0].code })
		if n < 0 {
			n = len(last)
		}
		s := codeSummary{Code: last[0].code, Count: n, Median: last[(n-1)/2].took, Max: last[n-1].took}
		for _, r := range last[:n] {
			if r.at.After(s.Last) {
				s.Last = r.at
			}
		}
		summaries, last = append(summaries, s), last[n:]
	}
	return summaries, counted
}
