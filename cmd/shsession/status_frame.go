package main

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shsession/shsession"
)

// A picture is what there is to draw.
type picture struct {
	watch         *watch
	recent        []change // the newest last
	now           time.Time
	width, height int // of the terminal, in characters
}

// A painter draws pictures as text.
type painter struct{ hasColour bool }

// Select Graphic Rendition (ECMA-48 section 8.3.117).
const (
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p painter) paint(style, text string) string {
	if !p.hasColour || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// Widths of columns.
const (
	longestName   = 36
	shortestBar   = 8
	widthOfLeft   = 8
	widthOfCounts = 2 + 7 + 2 + 6 // RENEWED and FAILED
	longestWhom   = 32
)

const titleOfWhom = "SHARED BY"

// A layout is the columns for which a terminal is wide enough.
type layout struct {
	name, bar, whom int // 0 for a column that there is no room for
	hasCounts       bool
}

func (p picture) layout() layout {
	l := layout{name: len("TOKEN")}
	for _, h := range p.watch.tokens {
		l.name = min(max(l.name, utf8.RuneCountInString(printable(h.Name))), longestName)
	}
	l.name = min(l.name, max(p.width-2-shortestBar-widthOfLeft, 1))
	l.bar = p.width - l.name - 2 - widthOfLeft
	if rest := l.bar - widthOfCounts; rest >= shortestBar {
		l.bar, l.hasCounts = rest, true
	}
	longest := len(titleOfWhom)
	for _, h := range p.watch.tokens {
		longest = min(max(longest, utf8.RuneCountInString(whom(h))), longestWhom)
	}
	if rest := l.bar - 2 - longest; l.hasCounts && rest >= 2*shortestBar {
		l.bar, l.whom = rest, longest
	}
	return l
}

// frame returns the lines of a picture, which fill the terminal.
func (p painter) frame(pic picture) []string {
	lines := []string{p.title(pic), ""}
	if len(pic.watch.tokens) == 0 {
		lines = append(lines, p.paint(faint, clip("Nothing is shared. `shsession share` shares a token.", pic.width)))
	} else {
		lines = append(lines, p.table(pic, max(pic.height-4, 1))...)
	}
	if room := pic.height - len(lines) - 1; room > 0 {
		lines = append(lines, "")
		for _, c := range pic.recent[max(0, len(pic.recent)-room):] {
			clock := c.Time.Format(time.TimeOnly)
			lines = append(lines, p.paint(faint, clip(clock, pic.width))+p.paint(styleOf(c.Event), clip("  "+c.String(), pic.width-len(clock))))
		}
	}
	for len(lines) < pic.height {
		lines = append(lines, "")
	}
	return lines[:pic.height]
}

// styleOf returns what makes an event stand out.
func styleOf(e event) string {
	switch e {
	case eventExpired, eventOrphaned, eventFailed:
		return red
	}
	return faint
}

// title returns the first line.
func (p painter) title(pic picture) string {
	const name, clock = "shsession", "15:04:05"
	problem := pic.watch.problem
	if problem != "" {
		problem = "  " + printable(problem)
	}
	middle := pad(clip(problem, pic.width-len(name)-len(clock)-1), pic.width-len(name)-len(clock))
	return p.paint(bold, clip(name, pic.width)) + p.paint(red, middle) + p.paint(faint, clip(pic.now.Format(clock), pic.width-len(name)))
}

// table returns a line for each token, at most room for all of them, below a line with titles.
func (p painter) table(pic picture, room int) []string {
	l := pic.layout()
	head := pad("TOKEN", l.name) + "  " + pad("LIFE LEFT", l.bar+widthOfLeft)
	if l.hasCounts {
		head += "  RENEWED  FAILED"
	}
	if l.whom > 0 {
		head += "  " + titleOfWhom
	}
	lines := []string{p.paint(faint, clip(head, pic.width))}
	tokens := pic.watch.tokens
	hidden := 0
	if len(tokens) > room {
		hidden = len(tokens) - room + 1
		tokens = tokens[:room-1]
	}
	for _, h := range tokens {
		lines = append(lines, p.row(h, l))
	}
	if hidden > 0 {
		lines = append(lines, p.paint(faint, clip(fmt.Sprintf("and %d more", hidden), pic.width)))
	}
	return lines
}

// row returns a token's line.
func (p painter) row(h *history, l layout) string {
	left := lifeText(h.token.Remaining())
	if h.token.Remaining() == 0 {
		left = "expired"
	}
	line := pad(clip(printable(h.Name), l.name), l.name) + "  " + p.bar(h, l.bar) + fmt.Sprintf("%*s", widthOfLeft, left)
	if l.hasCounts {
		failures := fmt.Sprintf("%6d", h.failures)
		if h.failures > 0 {
			failures = p.paint(red, failures)
		}
		line += fmt.Sprintf("  %7d  %s", h.renewals, failures)
	}
	if l.whom > 0 {
		line += "  " + clip(whom(h), l.whom)
	}
	return line
}

// whom says who shares the token, or why nobody does.
func whom(h *history) string {
	switch {
	case len(h.Sharers) > 0:
		return pids(h.Sharers)
	case h.State == stateOrphan:
		return "nobody: its sharers died"
	case h.State == stateCached:
		return "this machine's cache"
	}
	return "-"
}

// eighths are the parts of a full block, from none of it to seven eighths.
var eighths = [8]string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// bar returns the token's remaining life as a part of its whole.
func (p painter) bar(h *history, width int) string {
	left := h.token.Remaining()
	filled := 0
	if h.life > 0 {
		filled = min(int(float64(8*width)*float64(left)/float64(h.life)), 8*width)
	}
	style := green
	switch {
	case left == 0, h.State == stateOrphan:
		style = red
	case left <= min(shsession.DefaultRefreshBeforeExpiry, h.life/2):
		style = yellow
	}
	full := strings.Repeat("█", filled/8) + eighths[filled%8]
	return p.paint(style, full) + p.paint(faint, strings.Repeat("░", width-utf8.RuneCountInString(full)))
}

// pad fills text up to a width with spaces.
func pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// clip cuts text down to a width.
func clip(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	if width <= 0 {
		return ""
	}
	return string([]rune(text)[:width-1]) + "…"
}
