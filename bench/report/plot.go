package main

import (
	"image/color"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shsession/shsession/bench/internal/figure"
)

// plotWide is how wide each picture is, in points.
const plotWide = 660

// mark returns a peer's mark at some points.
func (s peerStyle) mark(points ...plotter.XY) *plotter.Scatter {
	return &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: s.colour, Radius: vg.Points(3), Shape: s.shape}}
}

// interval returns a bar in a peer's colour, from one end of an interval to the other.
func (s peerStyle) interval(low, high plotter.XY) *plotter.Line {
	pale := color.NRGBA{s.colour.R, s.colour.G, s.colour.B, 0x66}
	return figure.Stroke(pale, 3, low, high)
}

// legend returns an entry for each of the peers that was seen, in their order.
func legend(seen map[string]bool) (entries []figure.Entry) {
	for _, p := range peers() {
		if seen[p.name] {
			entries = append(entries, figure.Entry{Name: p.title, Mark: p.mark()})
		}
	}
	return entries
}
