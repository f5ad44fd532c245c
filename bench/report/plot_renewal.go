package main

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shsession/shsession/bench/internal/figure"
)

// renewalPlot shows how long calls take while the token is renewed, each peer in a row: the p99 as a mark with its
// interval, on a line from the median to the p99.9.
func renewalPlot(m *measurements) ([]byte, error) {
	const work, goal, answer, rowHigh = "Renewal", 1e-3, 50e-3, 20.0
	p := figure.New("")
	var ticks []plot.Tick
	row := 1.0
	for _, style := range peers() {
		p50, ok50 := m.value(key{work, style.name, "p50-sec"})
		p99, ok99 := m.value(key{work, style.name, "p99-sec"})
		p999, ok999 := m.value(key{work, style.name, "p99.9-sec"})
		if !ok50 || !ok99 || !ok999 {
			continue
		}
		at := func(x float64) plotter.XY { return plotter.XY{X: x, Y: -row} }
		p.Add(figure.Stroke(style.colour, 1.5, at(p50.Median), at(p999.Median)))
		if p99.bounded() && p99.Low > 0 {
			p.Add(style.interval(at(p99.Low), at(p99.High)))
		}
		p.Add(style.mark(at(p99.Median)))
		ticks = append(ticks, plot.Tick{Value: -row, Label: style.title})
		row++
	}
	for x, name := range map[float64]string{goal: "the goal", answer: "the endpoint answers"} {
		p.Add(figure.Stroke(figure.Line, 1, plotter.XY{X: x, Y: -row}, plotter.XY{X: x}))
		p.Add(figure.Label(plotter.XY{X: x, Y: -0.3}, draw.XRight, figure.Text(9), name))
	}
	figure.Logarithmic(&p.X, 1, func(v float64) string { return formatValue(v*1.0000001, seconds) })
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker = -row+0.4, 0, plot.ConstantTicks(ticks)
	return figure.Picture{
		Title: "How long a call takes while the token is renewed",
		Note:  "The mark is the 99th percentile, with its interval; the line begins at the median and ends at the 99.9th percentile.",
		Width: plotWide, Height: row*rowHigh + 70,
		Plots: [][]*plot.Plot{{p}},
	}.SVG()
}
