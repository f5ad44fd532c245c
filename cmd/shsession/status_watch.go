package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/shsession/shsession"
)

// An event is what happened to a token between two looks.
type event string

const (
	eventFound    event = "found"    // at the first look, or since the last one
	eventRenewed  event = "renewed"  // there is another in its place
	eventSharers  event = "sharers"  // others share it
	eventOrphaned event = "orphaned" // who shared it died
	eventExpired  event = "expired"
	eventFailed   event = "failed" // an attempt to renew it
	eventGone     event = "gone"   // nothing is there any more
	eventProblem  event = "error"  // looking failed; there is no row
)

// A change is an event as it's told.
type change struct {
	Time  time.Time `json:"time"`
	Event event     `json:"event"`
	Error string    `json:"error,omitempty"`
	*segmentRow
}

// String returns the change as a line for people.
func (c change) String() string {
	if c.segmentRow == nil {
		return printable(c.Error)
	}
	return printable(c.Name) + "  " + c.text()
}

func (c change) text() string {
	left := "expired"
	if c.RemainingSeconds > 0 {
		left = lifeText(time.Duration(c.RemainingSeconds*float64(time.Second))) + " left" // at the time
	}
	switch c.Event {
	case eventFound:
		return c.holders() + ", " + left
	case eventRenewed:
		return "renewed, " + left
	case eventSharers:
		return c.holders()
	case eventOrphaned:
		return "its sharers died, " + left
	case eventFailed:
		return "not renewed, " + left + ": " + c.Error
	}
	return string(c.Event)
}

// holders says who keeps the token fresh.
func (r *segmentRow) holders() string {
	switch {
	case len(r.Sharers) > 0:
		return "shared by " + pids(r.Sharers)
	case r.State == stateOrphan:
		return "its sharers died"
	case isCache(r.Name):
		return "cached"
	}
	return "nobody says who shares it" // Python's sharers don't, nor do programs that Join
}

// trouble says what the sharers' last attempts failed for, "" if they didn't.
func (r *segmentRow) trouble() string {
	for _, s := range r.Sharers {
		if s.sharerReport != nil && s.LastError != "" {
			return s.LastError
		}
	}
	return ""
}

// A history is what is known of a token since the watch began.
type history struct {
	segmentRow
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
func (w *watch) note(now time.Time, rows []segmentRow, err error) []change {
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
			h = &history{segmentRow: row, life: lifeOf(row.token), told: map[sharerID]uint64{}}
			h.hear()
		} else {
			events = h.follow(row)
		}
		for _, e := range events {
			c := change{Time: now, Event: e, segmentRow: &row}
			if e == eventFailed {
				c.Error = row.trouble()
			}
			changes = append(changes, c)
		}
		tokens = append(tokens, h)
	}
	for _, h := range w.tokens {
		if !slices.ContainsFunc(rows, func(r segmentRow) bool { return r.Name == h.Name }) {
			changes = append(changes, change{Time: now, Event: eventGone, segmentRow: &h.segmentRow})
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
func (h *history) follow(row segmentRow) (events []event) {
	before := h.segmentRow
	h.segmentRow = row
	if !row.token.Equal(before.token) {
		h.life = lifeOf(row.token)
		h.renewals++
		events = append(events, eventRenewed)
	}
	sameSharers := slices.EqualFunc(row.Sharers, before.Sharers, sharerRow.isSame)
	if h.hear() && sameSharers {
		events = append(events, eventFailed)
	}
	switch {
	case row.State == before.State && sameSharers:
	case row.State == stateExpired && before.State != stateExpired:
		if before.State == stateShared {
			h.failures++
		}
		events = append(events, eventExpired)
	case row.State == stateOrphan && before.State != stateOrphan:
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
		if s.sharerReport == nil {
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
	if isCache(h.Name) {
		return 1
	}
	return 0
}

// renewAt returns when the token is due for renewal, as its sharers say or are supposed to do it.
func (h *history) renewAt() time.Time {
	var at time.Time
	for _, s := range h.Sharers {
		if s.sharerReport != nil && (at.IsZero() || s.RenewAt.Before(at)) {
			at = s.RenewAt
		}
	}
	if at.IsZero() {
		at = h.token.ExpiresAt().Add(-min(shsession.DefaultRefreshBeforeExpiry, h.life/2))
	}
	return at
}

func lifeOf(t shsession.Token) time.Duration { return max(t.Life(), t.Remaining()) }

// A statusView shows a watch to somebody.
type statusView interface {
	// show shows the watch, and what has changed since it was shown last.
	show(w *watch, changes []change) error

	// signals are those that the view wants to heed, and to be shown the watch after; nil for none.
	signals() <-chan os.Signal
	heed(os.Signal)

	// enough is closed when the user has seen enough; nil if they can't say so.
	enough() <-chan struct{}

	// close ends the view.
	close()
}

// newStatusView returns a live picture if the output is a terminal that can show one, else lines.
func (a *app) newStatusView(asJSON bool) statusView {
	if file, ok := a.out.(*os.File); ok && !asJSON && canDraw(file) {
		return openScreen(file)
	}
	return &changeLog{a.out, asJSON}
}

// watchStatus looks every second and shows what there is, until ctx is done.
func watchStatus(ctx context.Context, look look, view statusView) error {
	defer view.close()
	var w watch
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	rows, err := look(ctx)
	if err != nil && !errors.Is(err, shsession.ErrNotShared) {
		return err
	}
	changes := w.note(time.Now(), rows, err)
	for {
		if err := view.show(&w, changes); err != nil {
			return err
		}
		changes = nil
		select {
		case <-ctx.Done():
			return nil
		case <-view.enough():
			return nil
		case s := <-view.signals():
			view.heed(s)
		case <-tick.C:
			rows, err := look(ctx)
			if ctx.Err() != nil {
				return nil
			}
			changes = w.note(time.Now(), rows, err)
		}
	}
}

// A changeLog is a view that writes a line for each change.
type changeLog struct {
	out    io.Writer
	asJSON bool
}

func (l *changeLog) show(_ *watch, changes []change) error {
	for _, c := range changes {
		var err error
		if l.asJSON {
			err = json.NewEncoder(l.out).Encode(c)
		} else {
			_, err = fmt.Fprintf(l.out, "%s  %s\n", c.Time.Format(time.DateTime), c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (*changeLog) signals() <-chan os.Signal { return nil }
func (*changeLog) heed(os.Signal)            {}
func (*changeLog) enough() <-chan struct{}   { return nil }
func (*changeLog) close()                    {}
