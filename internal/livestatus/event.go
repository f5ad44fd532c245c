package livestatus

import (
	"time"

	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/status"
)

// An event is what happened to a token between two looks.
type event string

const (
	eventFound    event = "found"    // at the first look, or since the last one
	eventRenewed  event = "renewed"  // a new token replaced it
	eventSharers  event = "sharers"  // its sharers changed
	eventOrphaned event = "orphaned" // its sharers died
	eventExpired  event = "expired"
	eventFailed   event = "failed" // an attempt to renew it
	eventGone     event = "gone"   // the token was removed
	eventProblem  event = "error"  // the look failed; there is no row
)

// A change is an event with its details, as shown to the user.
type change struct {
	Time  time.Time `json:"time"`
	Event event     `json:"event"`
	Error string    `json:"error,omitempty"`
	*status.Share
}

// String returns the change as a line for people.
func (c change) String() string {
	if c.Share == nil {
		return display.Line(c.Error)
	}
	return c.Title() + "  " + c.text()
}

func (c change) text() string {
	left := "expired"
	if c.RemainingSeconds > 0 {
		left = display.Life(time.Duration(c.RemainingSeconds*float64(time.Second))) + " left" // at the time
	}
	switch c.Event {
	case eventFound:
		return c.Holders() + ", " + left
	case eventRenewed:
		return "renewed, " + left
	case eventSharers:
		return c.Holders()
	case eventOrphaned:
		return "its sharers died, " + left
	case eventFailed:
		return "not renewed, " + left + ": " + c.Error
	}
	return string(c.Event)
}
