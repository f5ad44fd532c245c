package main

import (
	"slices"
	"strconv"
	"strings"
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

const (
	panelWide, panelHigh = 290.0, 240.0
	panelColumns         = 3
)

// growthPlot shows what becomes of the costs as the work grows, with both axes logarithmic: a
// flat line is a constant cost, and what grows in line with the work rises by a decade a decade.
func growthPlot(m *measurements) string {
	out := newSVG(panelWide*panelColumns+24, int(panelHigh)*2+64, "costs as the work grows")
	out.text(12, 22, "start", "title", "Costs as the work grows: the median, and the interval that holds it with 95 % confidence")
	seen := map[string]bool{}
	for i, p := range panels() {
		drawPanel(out, m, p, 8+float64(i%panelColumns)*panelWide, 58+float64(i/panelColumns)*panelHigh)
		for _, name := range p.peers(m) {
			seen[name] = true
		}
	}
	out.legend(12, 46, inOrder(seen))
	return out.end()
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

// peers returns those who have points.
func (p panel) peers(m *measurements) []string {
	seen := map[string]bool{}
	for _, style := range peers() {
		seen[style.name] = len(p.points(m, style.name)) > 0
	}
	return inOrder(seen)
}

func drawPanel(out *svg, m *measurements, p panel, left, top float64) {
	var xs, ys []float64
	for _, name := range p.peers(m) {
		for _, point := range p.points(m, name) {
			xs, ys = append(xs, point.x), append(ys, point.Median)
			if point.bounded() {
				ys = append(ys, point.Low, point.High)
			}
		}
	}
	if len(xs) == 0 {
		return
	}
	slices.Sort(xs)
	x := newLogScale(xs, 0, left+58, left+panelWide-20)
	y := newLogScale(ys, 1, top+panelHigh-40, top+26)
	out.text(left+58, top+16, "start", "title", p.title)
	for _, tick := range y.ticks() {
		out.line(x.from, y.at(tick), x.to, y.at(tick), "grid")
		out.text(x.from-6, y.at(tick)+4, "end", "faint", formatValue(tick*1.0000001, p.unit))
	}
	for _, tick := range slices.Compact(xs) {
		out.line(x.at(tick), y.from, x.at(tick), y.to, "grid")
		out.text(x.at(tick), y.from+17, "middle", "faint", strconv.FormatFloat(tick, 'f', -1, 64))
	}
	names := p.peers(m)
	for i, name := range names {
		aside := x // so that intervals don't hide one another
		aside.from += 5 * (float64(i) - float64(len(names)-1)/2)
		aside.to += aside.from - x.from
		drawPoints(out, p, peerNamed(name), p.points(m, name), aside, y)
	}
}

// drawPoints draws a peer's points, with a line through them.
func drawPoints(out *svg, p panel, style peerStyle, points []point, x, y logScale) {
	for i, point := range points {
		if i > 0 {
			out.stroke(x.at(points[i-1].x), y.at(points[i-1].Median), x.at(point.x), y.at(point.Median), style.colour)
		}
		if point.bounded() && point.Low > 0 {
			out.interval(x.at(point.x), y.at(point.Low), x.at(point.x), y.at(point.High), style.colour)
		}
	}
	for _, point := range points {
		out.mark(x.at(point.x), y.at(point.Median), style, style.title+": "+formatEstimate(point.estimate, p.unit))
	}
}
