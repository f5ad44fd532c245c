package main

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/shsession/shsession/bench/internal/figure"
)

// A panel is one of the plots of growth: some works that differ by one number.
type panel struct {
	title  string
	prefix string // of the works, before the number
	unit   string
}

func panels() []panel {
	return []panel{
		{"Token, by size in KB", "TokenSize/work=Token/KB=", seconds},
		{"Collect, by size in KB", "TokenSize/work=Collect/KB=", seconds},
		{"Publish, by size in KB", "TokenSize/work=Publish/KB=", seconds},
		{"Load, by processes that read", "Readers/readers=", "cpu-sec/read"},
		{"First token, by followers", "Followers/followers=", "sec/follower"},
	}
}

// growthPlot shows what becomes of the costs as the work grows, with both axes logarithmic: a
// flat line is a constant cost, and what grows in line with the work rises by a decade a decade.
func growthPlot(m *measurements) ([]byte, error) {
	const columns = 3
	seen := map[string]bool{}
	var drawn []*plot.Plot
	for _, p := range panels() {
		drawn = append(drawn, p.draw(m, seen))
	}
	for len(drawn)%columns != 0 {
		drawn = append(drawn, nil)
	}
	return figure.Picture{
		Title:  "Costs as the work grows: the median, and the interval that holds it with 95 % confidence",
		Legend: legend(seen), Width: plotWide, Height: 400,
		Plots: slices.Collect(slices.Chunk(drawn, columns)),
	}.SVG()
}

// A point is a cost at a size of the work.
type point struct {
	x float64
	estimate
}

func (p panel) points(m *measurements, peer string) []point {
	var points []point
	benchmark, _, _ := strings.Cut(p.prefix, "/")
	for _, work := range m.worksOf(benchmark) {
		number, ok := strings.CutPrefix(work, p.prefix)
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(number, 64)
		e, known := m.value(key{work, peer, p.unit})
		if err == nil && known && e.Median > 0 {
			points = append(points, point{x, e})
		}
	}
	return points
}

// draw draws the panel, notes in seen whose costs are in it, and returns nil if it is nobody's.
func (p panel) draw(m *measurements, seen map[string]bool) *plot.Plot {
	out := figure.New(p.title)
	var sizes []plot.Tick
	for i, style := range peers() {
		var line plotter.XYs
		for _, point := range p.points(m, style.name) {
			sizes = append(sizes, plot.Tick{Value: point.x, Label: strconv.FormatFloat(point.x, 'f', -1, 64)})
			x := point.x * math.Pow(1.06, float64(i)) // aside, so that intervals don't hide one another
			if point.bounded() && point.Low > 0 {
				out.Add(style.interval(plotter.XY{X: x, Y: point.Low}, plotter.XY{X: x, Y: point.High}))
			}
			line = append(line, plotter.XY{X: x, Y: point.Median})
		}
		if len(line) > 0 {
			seen[style.name] = true
			out.Add(figure.Stroke(style.colour, 1.5, line...), style.mark(line...))
		}
	}
	if len(sizes) == 0 {
		return nil
	}
	slices.SortFunc(sizes, func(a, b plot.Tick) int { return cmp.Compare(a.Value, b.Value) })
	figure.Logarithmic(&out.X, 0.1, digits)
	out.X.Tick.Marker = plot.ConstantTicks(slices.Compact(sizes))
	figure.Logarithmic(&out.Y, 1, func(v float64) string { return formatValue(v*1.0000001, p.unit) })
	return out
}
