package livestatus

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/status"
)

// A history is what is known of a token since the watch began.
type history struct {
	status.Share
	life               time.Duration // of the token when it was new, or when first seen if it doesn't tell
	renewals, failures int
	told               map[sharerID]uint64 // how many failures each sharer has told of
}

// A sharerID is what a sharer is known by.
type sharerID struct {
	pid  int
	host string
}

// A watch compares what it's shown with what it was shown before.
type watch struct {
	tokens  []*history // in the order of the last look, caches last
	problem string     // why the last look failed, or ""
}

// note takes in a look, and returns what has changed since the last one.
func (w *watch) note(now time.Time, rows []status.Share, err error) []change {
	if err != nil && !errors.Is(err, shsession.ErrNotShared) {
		if w.problem == err.Error() {
			return nil
		}
		w.problem = err.Error()
		return []change{{Time: now, Event: eventProblem, Error: w.problem}}
	}
	w.problem = ""
	if err != nil {
		rows = nil
	}
	var changes []change
	var tokens []*history
	for _, row := range rows {
		h := w.find(row.Name)
		events := []event{eventFound}
		if h == nil {
			h = &history{Share: row, life: lifeOf(row.Token), told: map[sharerID]uint64{}}
			h.hear()
		} else {
			events = h.follow(row)
		}
		for _, e := range events {
			c := change{Time: now, Event: e, Share: &row}
			if e == eventFailed {
				c.Error = row.Trouble()
			}
			changes = append(changes, c)
		}
		tokens = append(tokens, h)
	}
	for _, h := range w.tokens {
		if !slices.ContainsFunc(rows, func(r status.Share) bool { return r.Name == h.Name }) {
			changes = append(changes, change{Time: now, Event: eventGone, Share: &h.Share})
		}
	}
	slices.SortStableFunc(tokens, func(a, b *history) int { return cmp.Compare(a.rank(), b.rank()) })
	w.tokens = tokens
	return changes
}

func (w *watch) find(name string) *history {
	for _, h := range w.tokens {
		if h.Name == name {
			return h
		}
	}
	return nil
}

// follow takes in the next look at the token, and returns what has happened to it.
func (h *history) follow(row status.Share) (events []event) {
	before := h.Share
	h.Share = row
	if !row.Token.Equal(before.Token) {
		h.life = lifeOf(row.Token)
		h.renewals++
		events = append(events, eventRenewed)
	}
	sameSharers := slices.EqualFunc(row.Sharers, before.Sharers, status.Sharer.Is)
	if h.hear() && sameSharers {
		events = append(events, eventFailed)
	}
	switch {
	case row.State == before.State && sameSharers:
	case row.State == status.Expired && before.State != status.Expired:
		if before.State == status.Shared || before.State == status.Failing {
			h.failures++
		}
		events = append(events, eventExpired)
		if !sameSharers && len(row.Sharers) > 0 {
			events = append(events, eventSharers)
		}
	case row.State == status.Orphaned && before.State != status.Orphaned:
		h.failures++
		events = append(events, eventOrphaned)
	case !sameSharers:
		events = append(events, eventSharers)
	}
	return events
}

// hear takes in what the sharers have told, and reports whether more attempts have failed than before. Each
// counts its own, and all of them the same renewals.
func (h *history) hear() (failed bool) {
	for _, s := range h.Sharers {
		if s.Report == nil {
			continue
		}
		h.renewals = max(h.renewals, int(s.Renewals))
		id := sharerID{s.PID, s.Host}
		more := s.Failures - h.told[id]
		if s.Failures < h.told[id] { // another process of that number
			more = s.Failures
		}
		h.failures += int(more)
		h.told[id] = s.Failures
		failed = failed || more > 0
	}
	return failed
}

// rank is 0 for what is shared and 1 for a cache, which is of less interest.
func (h *history) rank() int {
	if cache.IsName(h.Name) {
		return 1
	}
	return 0
}

// renewAt returns when the token is due for renewal, as its sharers say or are supposed to do it.
func (h *history) renewAt() time.Time {
	var at time.Time
	for _, s := range h.Sharers {
		if s.Report != nil && (at.IsZero() || s.RenewAt.Before(at)) {
			at = s.RenewAt
		}
	}
	if at.IsZero() {
		at = h.Token.ExpiresAt().Add(-min(shsession.DefaultRefreshBeforeExpiry, h.life/2))
	}
	return at
}

func lifeOf(t shsession.Token) time.Duration { return max(t.Life(), t.Remaining()) }
