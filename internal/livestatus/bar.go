package livestatus

import (
	"strings"
	"time"

	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/status"
)

// renewalMark is where in a bar the token is due for renewal.
const renewalMark = "┃"

// eighths are the parts of a full block, from none of it to seven eighths.
var eighths = [8]string{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"}

// style tells a token that lives long enough from one that is due for renewal, and from one that won't be renewed.
func (h *history) style(now time.Time) string {
	switch {
	case !h.ExpiresAt.After(now), h.State == status.Orphaned:
		return red
	case !h.renewAt().After(now):
		return yellow
	case cache.IsName(h.Name):
		return faint
	}
	return green
}

// bar returns the token's remaining life as a part of its whole, which shrinks to the left. It's due for renewal when
// the bar reaches the mark.
func (h *history) bar(now time.Time, width int) line {
	if width <= 0 {
		return nil
	}
	filled := min(max(h.part(h.ExpiresAt.Sub(now), 8*width), 0), 8*width)
	text := strings.Repeat("█", filled/8) + eighths[filled%8]
	bar := []rune(text + strings.Repeat("░", width-widthOf(text)))
	full := (filled + 7) / 8
	mark := h.part(h.ExpiresAt.Sub(h.renewAt()), width)
	if h.rank() > 0 || mark <= 0 || mark >= width {
		return line{{h.style(now), string(bar[:full])}, {faint, string(bar[full:])}}
	}
	parts := line{}
	for i, r := range bar { // one by one, since the mark may be on either side of the end
		switch {
		case i == mark:
			parts = append(parts, span{plain, renewalMark})
		case i < full:
			parts = parts.add(h.style(now), string(r))
		default:
			parts = parts.add(faint, string(r))
		}
	}
	return parts
}

// part returns which part of whole a time is of the token's life.
func (h *history) part(d time.Duration, whole int) int {
	if h.life <= 0 {
		return 0
	}
	return int(float64(whole) * float64(d) / float64(h.life))
}

// add adds text to a line, to the last span if that is of the same style.
func (l line) add(style, text string) line {
	if n := len(l); n > 0 && l[n-1].style == style {
		l[n-1].text += text
		return l
	}
	return append(l, span{style, text})
}
