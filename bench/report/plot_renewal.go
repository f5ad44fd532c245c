package main

import "fmt"

// renewalPlot shows how long calls take while the token is renewed, each peer in a row: the p99 as a mark with its
// interval, in the middle of a line from the median to the p99.9.
func renewalPlot(m *measurements) string {
	const work, goal, answer, top, rowHeight = "Renewal", 1e-3, 50e-3, 74.0, 24.0
	var names []string
	ends := []float64{goal, answer}
	quantiles := func(name string) (p50, p99, p999 estimate, ok bool) {
		p50, ok50 := m.value(key{work, name, "p50-sec"})
		p99, ok99 := m.value(key{work, name, "p99-sec"})
		p999, ok999 := m.value(key{work, name, "p99.9-sec"})
		return p50, p99, p999, ok50 && ok99 && ok999
	}
	for _, p := range peers() {
		if p50, p99, p999, ok := quantiles(p.name); ok {
			names = append(names, p.name)
			ends = append(ends, p50.Median, p99.Low, p99.High, p999.Median)
		}
	}
	bottom := top + rowHeight*float64(len(names))
	scale := newLogScale(ends, 1, 160, plotWide-24)
	out := newSVG(plotWide, int(bottom)+30, "how long a call takes while the token is renewed")
	out.text(12, 22, "start", "title", "How long a call takes while the token is renewed")
	out.text(12, 42, "start", "faint", "The mark is the 99th percentile, with its interval; the line begins at the median and ends at the 99.9th percentile.")
	for i := range names {
		out.rect(scale.from, top+rowHeight*float64(i)+1, scale.to-scale.from, rowHeight-2, "band")
	}
	for _, tick := range scale.ticks() {
		out.line(scale.at(tick), top-4, scale.at(tick), bottom+4, "grid")
		out.text(scale.at(tick), bottom+20, "middle", "faint", formatValue(tick*1.0000001, seconds))
	}
	out.line(scale.at(goal), top-4, scale.at(goal), bottom+4, "one")
	out.text(scale.at(goal), top-9, "middle", "faint", "the goal")
	out.line(scale.at(answer), top-4, scale.at(answer), bottom+4, "one")
	out.text(scale.at(answer), top-9, "middle", "faint", "the endpoint answers")
	for i, name := range names {
		p, y := peerNamed(name), top+rowHeight*(float64(i)+.5)
		p50, p99, p999, _ := quantiles(name)
		out.text(150, y+4, "end", "", p.title)
		out.stroke(scale.at(p50.Median), y, scale.at(p999.Median), y, p.colour)
		for _, end := range []float64{p50.Median, p999.Median} {
			out.stroke(scale.at(end), y-5, scale.at(end), y+5, p.colour)
		}
		if p99.bounded() && p99.Low > 0 {
			out.interval(scale.at(p99.Low), y, scale.at(p99.High), y, p.colour)
		}
		out.mark(scale.at(p99.Median), y, p, fmt.Sprintf("%s: p99 %s", p.title, formatEstimate(p99, seconds)))
	}
	return out.end()
}
