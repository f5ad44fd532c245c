package livestatus

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/status"
)

// A picture is what there is to draw.
type picture struct {
	watch         *watch
	recent        []change // the newest last
	now           time.Time
	width, height int // of the terminal, in cells
	help          bool
}

// fewestRecent is how many of the last events there is to be room for, if the tokens leave that much in another form.
const fewestRecent = 3

// frame returns the lines of a picture, which fill the terminal: what there is in sum, each token, caches
// behind the others, what happened last, and how to read and leave it.
func (p painter) frame(pic picture) []string {
	body := pic.tokens(max(pic.height-4, 1))
	if pic.help {
		body = help()
	}
	lines := append([]line{pic.title(), {}}, body...)
	last := pic.height - 1 // for the legend, which is the first to go
	if room := last - 2 - len(lines); room > 0 {
		lines = append(lines, line{})
		for _, c := range pic.recent[max(0, len(pic.recent)-room):] {
			lines = append(lines, c.line())
		}
	}
	if len(lines) <= last {
		for len(lines) < last {
			lines = append(lines, line{})
		}
		lines = append(lines, line{{faint, "  q quits   ? shows the keys   " + renewalMark + " renewal is due there"}})
	}
	for len(lines) < pic.height {
		lines = append(lines, line{})
	}
	var text []string
	for _, l := range lines[:pic.height] {
		text = append(text, p.paint(l, pic.width))
	}
	return text
}

// help returns the lines that say what the keys do, and what the picture shows.
func help() []line {
	var lines []line
	for _, row := range [][2]string{
		{"q", "quits, as ^C does"},
		{"^Z", "goes back to the shell; fg shows this again"},
		{"?", "shows the tokens again"},
		{renewalMark, "in a bar is where the token is due for renewal"},
	} {
		lines = append(lines, line{{plain, indent}, {bold, pad(row[0], 4)}, {plain, row[1]}})
	}
	return append(lines,
		line{{plain, indent}, {green, "●"}, {plain, " fresh   "}, {yellow, "●"}, {plain, " renewal is due   "}, {red, "●"}, {plain, " expired, or nobody renews it"}})
}

// line returns the change as a line of the picture.
func (c change) line() line {
	l := line{{faint, indent + c.Time.Format(time.TimeOnly) + "  "}}
	if c.Share == nil {
		return append(l, span{styleOf(c.Event), display.Line(c.Error)})
	}
	return append(l, span{plain, c.Share.Title() + "  "}, span{styleOf(c.Event), withoutURLs(c.text())})
}

// styleOf returns what makes an event stand out.
func styleOf(e event) string {
	switch e {
	case eventExpired, eventOrphaned, eventFailed, eventProblem:
		return red
	case eventRenewed:
		return green
	}
	return plain
}

// title returns the first line: what is wrong with the watch itself, or what there is in sum.
func (pic picture) title() line {
	l := line{{bold, "shsession"}, {plain, "   "}}
	if problem := pic.watch.problem; problem != "" {
		l = append(l, span{red, display.Line(problem)})
	} else {
		l = append(l, pic.summary()...)
	}
	if clock := pic.now.Format(time.TimeOnly); l.width()+len(clock) < pic.width {
		return l.until(pic.width, span{faint, clock})
	}
	return l
}

// summary counts the tokens, and says when the next one is to be renewed.
func (pic picture) summary() line {
	counts := map[string]int{}
	var next time.Time
	for _, h := range pic.watch.tokens {
		state := h.State
		if cache.IsName(h.Name) {
			state = status.Cached
		}
		counts[state]++
		if at := h.dueAt(pic.now); len(h.Sharers) > 0 && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	var parts []string
	for _, state := range []string{status.Shared, status.Failing, status.Unknown, status.Orphaned, status.Expired, status.Cached} {
		if n := counts[state]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	text := strings.Join(parts, ", ")
	switch {
	case next.IsZero():
		return line{{plain, text}}
	case next.After(pic.now.Add(time.Second / 2)):
		return line{{plain, "next renewal in " + display.Life(next.Sub(pic.now)) + "   " + text}}
	}
	return line{{yellow, "renewal is due now"}, {plain, "   " + text}}
}

// dueAt returns when somebody will next try to renew the token.
func (h *history) dueAt(now time.Time) time.Time {
	var next time.Time // of several sharers who wait after a failure, the first
	for _, s := range h.Sharers {
		if s.Report != nil && s.NextTry.After(now) && (next.IsZero() || s.NextTry.Before(next)) {
			next = s.NextTry
		}
	}
	if next.IsZero() {
		return h.renewAt()
	}
	return next
}

// tokens returns the lines for the tokens, at most room: some for each that is shared and one for each cache, or
// one for each, or as many as there are lines for.
func (pic picture) tokens(room int) []line {
	if len(pic.watch.tokens) == 0 {
		return []line{{{plain, "  Nothing is shared. "}, {bold, "shsession share"}, {plain, " shares a token."}}}
	}
	var cards, rows, caches []line
	for _, h := range pic.watch.tokens {
		if h.rank() > 0 {
			caches = append(caches, pic.row(h))
			continue
		}
		cards = append(append(cards, pic.card(h)...), line{})
		rows = append(rows, pic.row(h))
	}
	if len(caches) == 0 && len(cards) > 0 {
		cards = cards[:len(cards)-1]
	}
	for _, recent := range []int{fewestRecent, 0} {
		if len(cards)+min(len(caches), 2)+recent <= room {
			return append(cards, upTo(room-len(cards)-recent, caches)...)
		}
	}
	return upTo(room, append(rows, caches...))
}

// upTo returns as many of the lines as there is room for, the last of them to say how many there are beyond.
func upTo(room int, lines []line) []line {
	if len(lines) <= room || room <= 0 {
		return lines[:min(len(lines), max(room, 0))]
	}
	return append(lines[:room-1:room-1], line{{faint, fmt.Sprintf("  and %d more", len(lines)-room+1)}})
}

const indent = "  "

// withoutURLs returns an error's text without what would take the room of the rest. The log has all of it.
func withoutURLs(text string) string {
	return regexp.MustCompile(` "?https?://[^\s"]+"?`).ReplaceAllString(display.Line(text), "")
}

// card returns the lines for a token.
func (pic picture) card(h *history) []line {
	style := h.style(pic.now)
	left := span{bold, h.left(pic.now)}
	if style == red {
		left.style = red
	}
	if ago := pic.now.Sub(h.ExpiresAt); ago >= time.Second {
		left.text += " " + display.Life(ago) + " ago"
	}
	lines := []line{
		line{{style, "● "}, {bold, display.Line(h.Name)}}.until(pic.width, left),
		append(line{{plain, indent}}, h.bar(pic.now, pic.width-len(indent))...),
		append(line{{plain, indent}}, h.details()...),
	}
	if why := h.Trouble(); why != "" {
		text := "not renewed"
		if next := h.dueAt(pic.now); next.After(pic.now) {
			text = "trying again in " + display.Life(next.Sub(pic.now))
		}
		lines = append(lines, line{{plain, indent}, {red, text + ": " + withoutURLs(why)}})
	}
	return lines
}

// row returns the one line for a token.
func (pic picture) row(h *history) line {
	name, bar := pic.columns()
	style := plain
	if h.rank() > 0 {
		style = faint
	}
	left := span{style, fmt.Sprintf("%*s", widthOfLeft, h.left(pic.now))}
	if h.style(pic.now) == red {
		left.style = red
	}
	l := line{{h.style(pic.now), "● "}, {style, pad(h.Share.Title(), name) + "  "}}
	if bar > 0 {
		l = append(l, h.bar(pic.now, bar)...)
	}
	l = append(l, left, span{plain, "  "})
	if h.rank() > 0 {
		return l
	}
	return append(l, h.details()...)
}

// Widths in rows.
const (
	longestName = 24
	shortestBar = 8
	longestBar  = 24
	widthOfLeft = 9
)

// columns returns the widths of the names and the bars in rows; 0 for no bars.
func (pic picture) columns() (name, bar int) {
	for _, h := range pic.watch.tokens {
		name = max(name, widthOf(h.Share.Title()))
	}
	name = max(1, min(name, longestName, max(pic.width/4, 8)))
	bar = min(max(pic.width/2-22, shortestBar), longestBar)
	if pic.width < widthOf("● ")+name+len("  ")+bar+widthOfLeft {
		bar = 0
	}
	return name, bar
}

// left is how long the token lives on.
func (h *history) left(now time.Time) string {
	if left := h.ExpiresAt.Sub(now); left >= time.Second/2 {
		return display.Life(left)
	}
	return "expired"
}

// details says who shares the token and how that has gone, and whose it is.
func (h *history) details() line {
	l := line{{plain, h.Holders()}}
	if h.State == status.Orphaned || h.State == status.Expired {
		l[0].style = red
	}
	renewed, failed := span{faint, fmt.Sprintf("   renewed %d", h.renewals)}, span{faint, fmt.Sprintf("   failed %d", h.failures)}
	if h.failures > 0 {
		failed.style = red
		l = append(l, failed, renewed)
	} else {
		l = append(l, renewed, failed)
	}
	if text := h.HandedOut(); text != "" {
		l = append(l, span{faint, "   handed out " + text})
	}
	if h.ClientID != "" {
		l = append(l, span{faint, "   client " + display.Line(h.ClientID)})
	}
	return l
}
