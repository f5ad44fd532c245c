package main

import (
	"fmt"
	"math"
	"strings"
)

// plotStyle follows the reader's choice of a light or dark page.
const plotStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600 }
.faint { fill: #6e7781 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.one { stroke: #24292f; stroke-width: 1.5 }
.page { fill: #ffffff }
@media (prefers-color-scheme: dark) {
 text { fill: #e6edf3 } .faint { fill: #8d96a0 } .grid { stroke: #30363d } .one { stroke: #e6edf3 } .page { fill: #0d1117 }
}
</style>
`

// An svg is a picture being drawn.
type svg struct{ strings.Builder }

func newSVG(width, height int, description string) *svg {
	s := &svg{}
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label=%[3]q>`+"\n",
		width, height, description)
	s.WriteString(plotStyle)
	fmt.Fprintf(s, `<rect class="page" width="%d" height="%d"/>`+"\n", width, height)
	return s
}

func (s *svg) end() string { s.WriteString("</svg>\n"); return s.String() }

// text writes at a point. anchor is start, middle or end.
func (s *svg) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(s, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class,
		strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(text))
}

func (s *svg) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`+"\n", x1, y1, x2, y2, class)
}

func (s *svg) bar(x1, x2, y float64, colour string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1[2]f" stroke="%[4]s" stroke-width="5" stroke-opacity=".35"/>`+"\n", x1, y, x2, colour)
}

func (s *svg) stroke(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="2"/>`+"\n", x1, y1, x2, y2, colour)
}

func (s *svg) dot(x, y float64, colour, title string) {
	fmt.Fprintf(s, `<circle cx="%.1f" cy="%.1f" r="4" fill="%s"><title>%s</title></circle>`+"\n", x, y, colour, title)
}

// legend names the peers along a line.
func (s *svg) legend(x, y float64, peers []peerStyle) {
	for _, p := range peers {
		s.dot(x, y-4, p.colour, p.title)
		s.text(x+9, y, "start", "", p.title)
		x += 28 + 6.6*float64(len(p.title))
	}
}

// A logScale maps values to places, a decade as long as any other.
type logScale struct{ low, high, from, to float64 } // powers of ten; places

// newLogScale covers the values with whole decades.
func newLogScale(values []float64, from, to float64) logScale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v > 0 {
			low, high = min(low, math.Floor(math.Log10(v))), max(high, math.Ceil(math.Log10(v)))
		}
	}
	return logScale{low, max(high, low+1), from, to}
}

func (s logScale) at(v float64) float64 {
	return s.from + (math.Log10(v)-s.low)/(s.high-s.low)*(s.to-s.from)
}

// ticks returns the powers of ten.
func (s logScale) ticks() []float64 {
	var ticks []float64
	for e := s.low; e <= s.high; e++ {
		ticks = append(ticks, math.Pow(10, e))
	}
	return ticks
}
