package main

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/shsession/shsession/bench/internal/figure"
)

// A ratioRow is a row of the plot, with the peers that did its work.
type ratioRow struct {
	label  string
	ratios []peerRatio // none in the row of a subject's title
}

type peerRatio struct {
	peer string
	estimate
}

// lanes is how high a row is: its marks are one below the other, so that none hides another.
func (r ratioRow) lanes() float64 { return max(3, float64(len(r.ratios))+1) }

// laneHigh is how high a lane is, in points.
const laneHigh = 5.2

// ratioPlot shows shsession's time divided by each peer's, on a logarithmic scale: the mark is the median
// and the bar its interval.
func ratioPlot(m *measurements) ([]byte, error) {
	p, seen := figure.New(""), map[string]bool{}
	var ticks []plot.Tick
	var titles plotter.XYLabels
	top := 3.0 // of the row, in lanes below the upper end
	for _, r := range allRatioRows(m) {
		middle := -top - r.lanes()/2
		if len(r.ratios) == 0 {
			titles.XYs, titles.Labels = append(titles.XYs, plotter.XY{Y: middle}), append(titles.Labels, r.label)
		} else {
			ticks = append(ticks, plot.Tick{Value: middle, Label: r.label})
		}
		for i, e := range r.ratios {
			y, style := middle+float64(len(r.ratios)-1)/2-float64(i), peerNamed(e.peer)
			if e.bounded() && e.Low > 0 {
				p.Add(style.interval(plotter.XY{X: e.Low, Y: y}, plotter.XY{X: e.High, Y: y}))
			}
			p.Add(style.mark(plotter.XY{X: e.Median, Y: y}))
			seen[e.peer] = true
		}
		top += r.lanes()
	}
	p.Add(figure.Stroke(figure.Line, 1, plotter.XY{X: 1, Y: -top}, plotter.XY{X: 1}))
	p.Add(figure.Label(plotter.XY{X: 1, Y: -1}, draw.XRight, figure.Text(9), "← shsession takes less"))
	p.Add(figure.Label(plotter.XY{X: 1, Y: -1}, draw.XLeft, figure.Text(9), "more →"))
	figure.Logarithmic(&p.X, 1, digits)
	p.Y.Min, p.Y.Max, p.Y.Tick.Marker = -top, 0, plot.ConstantTicks(ticks)
	for i, at := range titles.XYs {
		at.X = p.X.Min
		p.Add(figure.Label(at, draw.XLeft, figure.Bold(10), titles.Labels[i]))
	}
	return figure.Picture{
		Title:  "shsession's time divided by each peer's: the median, and the interval that holds it with 95 % confidence",
		Legend: legend(seen), Width: plotWide, Height: top*laneHigh + 80,
		Plots: [][]*plot.Plot{{p}},
	}.SVG()
}

// allRatioRows returns the rows of all subjects that are in the plot, each subject's after a row with its title.
func allRatioRows(m *measurements) (rows []ratioRow) {
	for _, s := range subjects() {
		if !s.inPlot {
			continue
		}
		s.units = []string{seconds}
		if of := ratioRows(m, s); len(of) > 0 {
			rows = append(append(rows, ratioRow{label: s.title}), of...)
		}
	}
	return rows
}

func ratioRows(m *measurements, s subject) []ratioRow {
	var rows []ratioRow
	for _, r := range s.rows(m) {
		row := ratioRow{label: r.label}
		for _, p := range peers()[1:] {
			if e, ok := m.ratio(key{r.work, ours, r.unit}, key{r.work, p.name, r.unit}); ok && e.Median > 0 {
				row.ratios = append(row.ratios, peerRatio{p.name, e})
			}
		}
		if len(row.ratios) > 0 {
			rows = append(rows, row)
		}
	}
	return rows
}
