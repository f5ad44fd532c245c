package apiproxy

import (
	"fmt"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
)

// A tokenView is the token's state on the page.
type tokenView struct {
	Text  string
	Class string // in the style: good, due or bad
	Bar   bool   // whether there is a life to show
	Left  int    // percent of the life
}

func newTokenView(status shsession.Status) tokenView {
	left := time.Until(status.ExpiresAt)
	valid := "Valid for another " + display.Life(left)
	switch {
	case status.State == shsession.NoToken && status.LastError != nil:
		return tokenView{Text: "None: the last attempt to log in failed.", Class: "bad"}
	case status.State == shsession.NoToken:
		return tokenView{Text: "None yet. The first request logs in.", Class: "due"}
	case status.State == shsession.Expired && status.LastError != nil:
		return tokenView{Text: "Expired, and the last attempt to renew it failed.", Class: "bad", Bar: true}
	case status.State == shsession.Expired:
		return tokenView{Text: "Expired. It is due for renewal.", Class: "bad", Bar: true}
	}
	view := tokenView{Text: valid + ".", Class: "good", Bar: status.Life > 0}
	if view.Bar {
		view.Left = int(min(100, max(1, 100*left/status.Life)))
	}
	switch {
	case status.State == shsession.Stale && status.LastError != nil:
		view.Text, view.Class = valid+". The last attempt to renew it failed.", "due"
	case status.State == shsession.Stale:
		view.Text, view.Class = valid+". It is due for renewal.", "due"
	}
	return view
}

// Sizes of the chart of the last hour, in the units of its SVG.
const (
	barWidth    = 10
	chartHeight = 60
	leastBar    = 2 // so that one request among thousands is visible
)

// An hourView is the chart of the last hour's requests.
type hourView struct {
	Bars          []bar
	Width, Height int
	Total, Failed int
	Most          int // in one minute
}

// A bar is a minute in the chart, with the errors on top.
type bar struct {
	Title                 string
	X, Width              int
	AnsweredY, Answered   int // the upper edge, and the height
	FailedY, FailedHeight int
}

func newHourView(counts [minutes]minuteCount) hourView {
	view := hourView{Width: minutes * barWidth, Height: chartHeight}
	for _, c := range counts {
		view.Total += c.answered + c.failed
		view.Failed += c.failed
		view.Most = max(view.Most, c.answered+c.failed)
	}
	for i, c := range counts {
		if c.answered+c.failed == 0 {
			continue
		}
		answered, failed := height(c.answered, view.Most), height(c.failed, view.Most)
		if over := answered + failed - chartHeight; over > 0 { // by leastBar
			answered -= over
		}
		view.Bars = append(view.Bars, bar{
			Title: fmt.Sprintf("%s UTC: %d requests, %d with an error", time.Unix(c.minute*60, 0).UTC().Format("15:04"), c.answered+c.failed, c.failed),
			X:     i*barWidth + 1, Width: barWidth - 2,
			AnsweredY: chartHeight - answered, Answered: answered,
			FailedY: chartHeight - answered - failed, FailedHeight: failed,
		})
	}
	return view
}

// height returns the height of a bar for n requests, if the most in a minute fill the chart.
func height(n, most int) int {
	if n == 0 {
		return 0
	}
	return max(leastBar, n*chartHeight/most)
}
