package apiproxy

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	kept    = 1000 // requests that a history keeps one by one
	minutes = 60   // minutes for which a history counts requests
)

// A history has the last requests, and the counts of the last hour. The zero history is empty.
type history struct {
	mu       sync.Mutex // guards the fields below
	last     [kept]record
	counted  uint64 // all requests so far
	byMinute [minutes]minuteCount
}

type record struct {
	code int
	took time.Duration
	at   time.Time
}

// A minuteCount counts the requests that ended in one minute.
type minuteCount struct {
	minute   int64 // since 1970
	answered int   // with a status below 400
	failed   int
}

func (h *history) add(code int, took time.Duration) {
	now := time.Now()
	minute := now.Unix() / 60
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last[h.counted%kept] = record{code, took, now}
	h.counted++
	count := &h.byMinute[minute%minutes]
	if count.minute != minute {
		*count = minuteCount{minute: minute}
	}
	if code < 400 {
		count.answered++
	} else {
		count.failed++
	}
}

// lastHour returns the numbers of the last minutes, the present one's last.
func (h *history) lastHour() (counts [minutes]minuteCount) {
	present := time.Now().Unix() / 60
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range counts {
		minute := present - minutes + 1 + int64(i)
		if count := h.byMinute[minute%minutes]; count.minute == minute {
			counts[i] = count
		}
	}
	return counts
}

// A codeSummary summarises the last requests with one status.
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
