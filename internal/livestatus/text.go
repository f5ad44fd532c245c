package livestatus

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// Select Graphic Rendition (ECMA-48 section 8.3.117).
const (
	plain  = ""
	bold   = "1"
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// A span is text in one style.
type span struct{ style, text string }

// A line is a line of the picture.
type line []span

// cells measures text in the cells that a terminal shows it in. Lines and blocks take one, as they do but in East Asian
// fonts of old.
var cells = &runewidth.Condition{}

func widthOf(text string) int { return cells.StringWidth(text) }

// clip cuts text down to a width.
func clip(text string, width int) string {
	if width <= 0 {
		return ""
	}
	return cells.Truncate(text, width, "…")
}

// pad makes text that wide, with spaces or by cutting it.
func pad(text string, width int) string {
	text = clip(text, width)
	return text + strings.Repeat(" ", max(0, width-widthOf(text)))
}

func (l line) width() int {
	n := 0
	for _, s := range l {
		n += widthOf(s.text)
	}
	return n
}

// until adds a span at the right end of a line that is that wide, which is cut to make room for it.
func (l line) until(width int, end span) line {
	room := width - widthOf(end.text)
	if room < 2 {
		return l
	}
	l = l.cut(room - 1)
	return append(l, span{plain, strings.Repeat(" ", max(0, room-l.width()))}, end)
}

// cut returns the line cut down to a width.
func (l line) cut(width int) line {
	var cut line
	for _, s := range l {
		text := clip(s.text, width)
		if text == "" {
			if s.text != "" {
				break
			}
			continue
		}
		cut = append(cut, span{s.style, text})
		width -= widthOf(text)
		if text != s.text {
			break
		}
	}
	return cut
}

// A painter draws pictures as text.
type painter struct {
	hasColour bool
	isASCII   bool // the terminal has no other characters for what is drawn
}

// inASCII replaces what is drawn by characters of ASCII, each by one.
var inASCII = strings.NewReplacer("█", "#", "▉", "#", "▊", "#", "▋", "#", "▌", "#", "▍", "-", "▎", "-", "▏", "-",
	"░", ".", renewalMark, "|", "●", "*", "…", "~")

// paint returns a line as text for a terminal of that width.
func (p painter) paint(l line, width int) string {
	var text strings.Builder
	for _, s := range l.cut(width) {
		if p.isASCII {
			s.text = inASCII.Replace(s.text)
		}
		if !p.hasColour || s.style == plain {
			text.WriteString(s.text)
			continue
		}
		text.WriteString("\x1b[" + s.style + "m" + s.text + "\x1b[0m")
	}
	return text.String()
}
