package main

import (
	"fmt"
)

const (
	rowHeight = 24.0
	labelWide = 250.0
	plotWide  = 880
	plotTop   = 70.0
)

// A ratioRow is a row of the plot, with the peers that did its work.
type ratioRow struct {
	label  string
	ratios []peerRatio
}

type peerRatio struct {
	peer string
	estimate
}

// ratioPlot shows shsession's time divided by each peer's, on a logarithmic scale: the mark is the median
// and the bar its interval. The peers of a row are a little above one another.
func ratioPlot(m *measurements) string {
	height, ends, seen := plotTop+rowHeight/2, []float64{1}, map[string]bool{}
	for _, s := range plotted() {
		rows := ratioRows(m, s)
		if len(rows) == 0 {
			continue
		}
		height += rowHeight * float64(len(rows)+1)
		for _, r := range rows {
			for _, e := range r.ratios {
				seen[e.peer] = true
				ends = append(ends, e.Low, e.Median, e.High)
			}
		}
	}
	scale := newLogScale(ends, 1, labelWide, plotWide-24)
	out := newSVG(plotWide, int(height)+26, "shsession's time divided by each peer's")
	out.text(12, 22, "start", "title", "shsession's time divided by each peer's: the median, and the interval that holds it with 95 % confidence")
	out.legend(12, 46, inOrder(seen))
	y := plotTop + rowHeight/2
	banded := func(draw func(y float64, r ratioRow)) float64 {
		y := y
		for _, s := range plotted() {
			rows := ratioRows(m, s)
			if len(rows) > 0 {
				out.text(12, y+4, "start", "title", s.title)
				y += rowHeight
			}
			for _, r := range rows {
				draw(y, r)
				y += rowHeight
			}
		}
		return y
	}
	banded(func(y float64, _ ratioRow) {
		out.rect(labelWide, y-rowHeight/2+1, plotWide-24-labelWide, rowHeight-2, "band")
	})
	for _, tick := range scale.ticks() {
		class := "grid"
		if tick == 1 {
			class = "one"
		}
		out.line(scale.at(tick), plotTop-6, scale.at(tick), height, class)
		out.text(scale.at(tick), height+16, "middle", "faint", digits(tick))
	}
	out.text(scale.at(1)-8, plotTop+4, "end", "faint", "← shsession takes less")
	out.text(scale.at(1)+8, plotTop+4, "start", "faint", "more →")
	banded(func(y float64, r ratioRow) {
		out.text(24, y+4, "start", "", r.label)
		drawRatios(out, r, scale, y)
	})
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

func drawRatios(out *svg, r ratioRow, scale logScale, y float64) {
	lane := min(6, (rowHeight-8)/float64(len(r.ratios)))
	y -= lane * float64(len(r.ratios)-1) / 2
	for i, e := range r.ratios {
		p, y := peerNamed(e.peer), y+lane*float64(i)
		if e.bounded() && e.Low > 0 {
			out.interval(scale.at(e.Low), y, scale.at(e.High), y, p.colour)
		}
		out.mark(scale.at(e.Median), y, p, fmt.Sprintf("%s / %s: %s", r.label, p.title, formatRatio(e.estimate)))
	}
}
