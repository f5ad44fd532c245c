package status

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/ratelimit"
)

// A Limit describes the rate limit that is shared beside a token.
type Limit struct {
	Policy      string  `json:"policy"` // "auto" if it is learned
	Minute      Usage   `json:"minute"`
	Month       Usage   `json:"month"`
	InUse       int     `json:"in_use"` // requests at a time, where these are limited
	Queued      int     `json:"queued"`
	Wait        float64 `json:"wait_seconds"` // of a request that comes now, but for those at a time
	PausedFor   float64 `json:"paused_seconds,omitzero"`
	PaceSeconds float64 `json:"pace_seconds,omitzero"` // between two requests, as learned
}

// A Usage is the amount that was used in a period.
type Usage struct {
	Requests int64   `json:"requests"`
	Units    float64 `json:"units"`
	Refused  int64   `json:"refused"`
}

// limitTimeout is how long a limit's state has to answer.
const limitTimeout = 300 * time.Millisecond

// limitOf returns the limit that is shared in a store, nil if there is none or it can't
// be asked.
func limitOf(ctx context.Context, store shsession.Store) *Limit {
	keeper, ok := store.(ratelimit.Keeper)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limitTimeout)
	defer cancel()
	s, err := ratelimit.Inspect(ctx, keeper.Limits())
	if err != nil || s.Policy == "" && s.Month == (ratelimit.Usage{}) {
		return nil
	}
	row := Limit{
		Policy: s.Policy, Minute: Usage(s.Minute), Month: Usage(s.Month),
		InUse: s.InUse, Queued: s.Queued, Wait: Seconds(s.Wait), PausedFor: Seconds(s.Paused), PaceSeconds: Seconds(s.Pace),
	}
	if row.Policy == "" {
		row.Policy = "auto"
	}
	return &row
}

// text returns the limit as a line of text.
func (l *Limit) text() string {
	text := fmt.Sprintf("limit %s: %s this minute, %s this month", display.Line(l.Policy), l.Minute.text(), l.Month.text())
	if l.InUse+l.Queued > 0 {
		text += fmt.Sprintf(", %d at a time, %d waiting", l.InUse, l.Queued)
	}
	if l.Wait >= 1 {
		text += ", a request now waits " + display.Life(time.Duration(l.Wait*float64(time.Second)))
	}
	if l.PausedFor > 0 {
		text += ", paused for " + display.Life(time.Duration(l.PausedFor*float64(time.Second)))
	}
	return text
}

func (u Usage) text() string {
	parts := []string{strconv.FormatInt(u.Requests, 10) + " requests"}
	if u.Units > 0 {
		parts = append(parts, strconv.FormatFloat(u.Units, 'f', 2, 64)+" pu")
	}
	if u.Refused > 0 {
		parts = append(parts, strconv.FormatInt(u.Refused, 10)+" refused")
	}
	return strings.Join(parts, " + ")
}
