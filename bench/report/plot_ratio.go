package main

import (
	"fmt"
	"strings"
)

const (
	rowHeight = 18.0
	labelWide = 250.0
	plotWide  = 880
	plotTop   = 62.0
)

// ratioPlot shows shsession's time divided by each peer's, on a logarithmic scale: the dot is the median
// and the bar its interval.
func ratioPlot(m *measurements) string {
	height, medians := plotTop+rowHeight, []float64{1}
	for _, s := range plotted() {
		height += rowHeight * float64(len(s.rows(m))+1)
		for _, r := range s.rows(m) {
			for _, p := range peers()[1:] {
				if e, ok := m.ratio(key{r.work, ours, r.unit}, key{r.work, p.name, r.unit}); ok {
					medians = append(medians, e.Median)
				}
			}
		}
	}
	scale := newLogScale(medians, labelWide, plotWide-30)
	out := newSVG(plotWide, int(height)+20, "shsession's time divided by each peer's")
	out.text(12, 20, "start", "title", "shsession's time divided by each peer's: median, and 95 % interval")
	out.legend(labelWide, 42, peers()[1:])
	for _, tick := range scale.ticks() {
		class := "grid"
		if tick == 1 {
			class = "one"
		}
		out.line(scale.at(tick), plotTop-6, scale.at(tick), height, class)
		out.text(scale.at(tick), height+14, "middle", "faint", digits(tick))
	}
	out.text(scale.at(1)-6, plotTop+4, "end", "faint", "← shsession takes less")
	y := plotTop + rowHeight
	for _, s := range plotted() {
		out.text(12, y+4, "start", "title", s.title)
		y += rowHeight
		for _, r := range s.rows(m) {
			out.text(24, y+4, "start", "", r.label)
			drawRatios(out, m, r, scale, y)
			y += rowHeight
		}
	}
	return out.end()
}

// plotted returns the subjects that are in the plot, with their times alone.
func plotted() []subject {
	var all []subject
	for _, s := range subjects() {
		if s.inPlot {
			s.units = []string{seconds}
			all = append(all, s)
		}
	}
	return all
}

func drawRatios(out *svg, m *measurements, r row, scale logScale, y float64) {
	for _, p := range peers()[1:] {
		e, ok := m.ratio(key{r.work, ours, r.unit}, key{r.work, p.name, r.unit})
		if !ok || e.Median <= 0 {
			continue
		}
		if e.bounded() && e.Low > 0 {
			out.bar(scale.at(e.Low), scale.at(e.High), y, p.colour)
		}
		out.dot(scale.at(e.Median), y, p.colour, fmt.Sprintf("%s / %s: %s", strings.TrimSpace(r.label), p.title, formatRatio(e)))
	}
}
