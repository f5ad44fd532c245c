package main

import "fmt"

const (
	labelWide = 250.0
	plotWide  = 880
)

// A ratioRow is a row of the plot, with the peers that did its work.
type ratioRow struct {
	label  string
	ratios []peerRatio
	middle float64 // where it is, from the top
}

type peerRatio struct {
	peer string
	estimate
}

// lane is how far a row's peers are above one another, so that their marks don't hide one another.
const lane = 7.0

func (r ratioRow) height() float64 { return max(22, lane*float64(len(r.ratios))+8) }

// ratioPlot shows shsession's time divided by each peer's, on a logarithmic scale: the mark is the median
// and the bar its interval.
func ratioPlot(m *measurements) string {
	const right, top = plotWide - 24, 70.0
	rows, height := layOut(m, top)
	ends, seen := []float64{1}, map[string]bool{}
	for _, r := range rows {
		for _, e := range r.ratios {
			seen[e.peer] = true
			ends = append(ends, e.Low, e.Median, e.High)
		}
	}
	scale := newLogScale(ends, 1, labelWide, right)
	out := newSVG(plotWide, int(height)+26, "shsession's time divided by each peer's")
	out.text(12, 22, "start", "title", "shsession's time divided by each peer's: the median, and the interval that holds it with 95 % confidence")
	out.legend(12, 46, inOrder(seen))
	for _, r := range rows {
		if len(r.ratios) > 0 {
			out.rect(labelWide, r.middle-r.height()/2+1, right-labelWide, r.height()-2, "band")
		}
	}
	for _, tick := range scale.ticks() {
		class := "grid"
		if tick == 1 {
			class = "one"
		}
		out.line(scale.at(tick), top-6, scale.at(tick), height, class)
		out.text(scale.at(tick), height+16, "middle", "faint", digits(tick))
	}
	out.text(scale.at(1)-8, top+6, "end", "faint", "← shsession takes less")
	out.text(scale.at(1)+8, top+6, "start", "faint", "more →")
	for _, r := range rows {
		if len(r.ratios) == 0 {
			out.text(12, r.middle+6, "start", "title", r.label)
			continue
		}
		out.text(24, r.middle+4, "start", "", r.label)
		drawRatios(out, r, scale)
	}
	return out.end()
}

// layOut returns the rows of all subjects that are in the plot, each after one with its title and no ratios,
// and where they end.
func layOut(m *measurements, y float64) (rows []ratioRow, end float64) {
	for _, s := range plotted() {
		of := ratioRows(m, s)
		if len(of) > 0 {
			of = append([]ratioRow{{label: s.title}}, of...)
		}
		for _, r := range of {
			r.middle = y + r.height()/2
			y += r.height()
			rows = append(rows, r)
		}
	}
	return rows, y
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

func drawRatios(out *svg, r ratioRow, scale logScale) {
	first := r.middle - lane*float64(len(r.ratios)-1)/2
	for i, e := range r.ratios {
		p, y := peerNamed(e.peer), first+lane*float64(i)
		if e.bounded() && e.Low > 0 {
			out.interval(scale.at(e.Low), y, scale.at(e.High), y, p.colour)
		}
		out.mark(scale.at(e.Median), y, p, fmt.Sprintf("%s / %s: %s", r.label, p.title, formatRatio(e.estimate)))
	}
}
