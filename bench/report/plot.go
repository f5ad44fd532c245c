package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// plotStyle follows the reader's choice of a light or dark page, with a background of its own in case that
// isn't the page's.
const plotStyle = `<style>
text { font: 12px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328 }
.title { font-weight: 600 }
.faint { fill: #59636e }
.grid { stroke: #d1d9e0; stroke-width: 1 }
.one { stroke: #1f2328; stroke-width: 1.5 }
.band { fill: #f6f8fa }
.page { fill: #ffffff }
.mark { stroke: #ffffff; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
 text { fill: #f0f6fc } .faint { fill: #9198a1 } .grid { stroke: #3d444d } .one { stroke: #f0f6fc }
 .band { fill: #151b23 } .page { fill: #0d1117 } .mark { stroke: #0d1117 }
}
</style>
`

// A shape is how a mark looks.
type shape int

const (
	circle shape = iota
	square
	diamond
	up
	down
)

// An svg is a picture being drawn.
type svg struct{ strings.Builder }

func newSVG(width, height int, description string) *svg {
	s := &svg{}
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" role="img" aria-label=%[3]q>`+"\n",
		width, height, description)
	s.WriteString(plotStyle)
	s.rect(0, 0, float64(width), float64(height), "page")
	return s
}

func (s *svg) end() string { s.WriteString("</svg>\n"); return s.String() }

func (s *svg) rect(x, y, width, height float64, class string) {
	fmt.Fprintf(s, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`+"\n", class, x, y, width, height)
}

// text writes at a point. anchor is start, middle or end.
func (s *svg) text(x, y float64, anchor, class, text string) {
	fmt.Fprintf(s, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">%s</text>`+"\n", x, y, anchor, class, html.EscapeString(text))
}

func (s *svg) line(x1, y1, x2, y2 float64, class string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`+"\n", x1, y1, x2, y2, class)
}

// interval draws where a value lies.
func (s *svg) interval(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="4" stroke-opacity=".4"/>`+"\n", x1, y1, x2, y2, colour)
}

func (s *svg) stroke(x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s" stroke-width="1.5"/>`+"\n", x1, y1, x2, y2, colour)
}

// mark draws a peer's mark, which shows a title when it's pointed at.
func (s *svg) mark(x, y float64, p peerStyle, title string) {
	const r = 4.5
	corners := map[shape][]float64{
		square:  {-.9, -.9, .9, -.9, .9, .9, -.9, .9},
		diamond: {0, -1.2, 1.2, 0, 0, 1.2, -1.2, 0},
		up:      {0, -1.1, 1.1, .9, -1.1, .9},
		down:    {0, 1.1, 1.1, -.9, -1.1, -.9},
	}[p.shape]
	if corners == nil {
		fmt.Fprintf(s, `<circle class="mark" cx="%.1f" cy="%.1f" r="%.1f"`, x, y, r)
	} else {
		s.WriteString(`<polygon class="mark" points="`)
		for i := 0; i < len(corners); i += 2 {
			fmt.Fprintf(s, "%.1f,%.1f ", x+r*corners[i], y+r*corners[i+1])
		}
		s.WriteString(`"`)
	}
	element := "circle"
	if corners != nil {
		element = "polygon"
	}
	fmt.Fprintf(s, ` fill="%s"><title>%s</title></%s>`+"\n", p.colour, html.EscapeString(title), element)
}

// legend names the peers along a line.
func (s *svg) legend(x, y float64, names []string) {
	for _, name := range names {
		p := peerNamed(name)
		s.mark(x+5, y-4, p, p.title)
		s.text(x+15, y, "start", "", p.title)
		x += 36 + 6.7*float64(len(p.title))
	}
}

// inOrder returns those of the peers, in their order.
func inOrder(seen map[string]bool) []string {
	var names []string
	for _, p := range peers() {
		if seen[p.name] {
			names = append(names, p.name)
		}
	}
	return names
}

// A logScale maps values to places, a decade as long as any other.
type logScale struct{ low, high, from, to float64 } // powers of ten; places

// newLogScale covers the values and a little around them, least decades at the least.
func newLogScale(values []float64, least, from, to float64) logScale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if v > 0 && !math.IsInf(v, 0) {
			low, high = min(low, math.Log10(v)), max(high, math.Log10(v))
		}
	}
	if math.IsInf(low, 0) {
		low, high = 0, 0
	}
	more := max(0.04*(high-low), (least-(high-low))/2)
	return logScale{low - more, high + more, from, to}
}

func (s logScale) at(v float64) float64 {
	return s.from + (math.Log10(v)-s.low)/(s.high-s.low)*(s.to-s.from)
}

// ticks returns round numbers, eight at most if that's possible.
func (s logScale) ticks() []float64 {
	var ticks []float64
	for _, steps := range [][]float64{{1, 2, 5}, {1, 3}, {1}} {
		ticks = nil
		for e := math.Floor(s.low); e <= s.high; e++ {
			for _, step := range steps {
				if tick := step * math.Pow(10, e); math.Log10(tick) >= s.low && math.Log10(tick) <= s.high {
					ticks = append(ticks, tick)
				}
			}
		}
		if len(ticks) <= 8 {
			break
		}
	}
	return slices.Clip(ticks)
}
