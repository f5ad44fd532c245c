package main

import (
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
		{"Load, by readers", "Readers/readers=", "cpu-sec/read"},
		{"First token, by followers", "Followers/followers=", "sec/follower"},
	}
}

const (
	panelWide, panelHigh = 280.0, 230.0
	panelColumns         = 3
)

// growthPlot shows what becomes of the costs as the work grows, with both axes logarithmic: a
// flat line is a constant cost, and one at 45 degrees a cost in line with the work.
func growthPlot(m *measurements) string {
	out := newSVG(panelWide*panelColumns+40, int(panelHigh)*2+40, "costs as the work grows")
	out.legend(20, 20, []peerStyle{peers()[0], peers()[1], peers()[len(peers())-1]})
	for i, p := range panels() {
		drawPanel(out, m, p, 20+float64(i%panelColumns)*panelWide, 34+float64(i/panelColumns)*panelHigh)
	}
	return out.end()
}

// A point is a cost at a size of the work.
type point struct{ x, y float64 }

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
			points = append(points, point{x, e.Median})
		}
	}
	return points
}

func drawPanel(out *svg, m *measurements, p panel, left, top float64) {
	var xs, ys []float64
	for _, style := range peers() {
		for _, point := range p.points(m, style.name) {
			xs, ys = append(xs, point.x), append(ys, point.y)
		}
	}
	if len(xs) == 0 {
		return
	}
	x := newLogScale(xs, left+52, left+panelWide-16)
	y := newLogScale(ys, top+panelHigh-40, top+24)
	out.text(left+52, top+14, "start", "title", p.title)
	for _, tick := range y.ticks() {
		out.line(x.from, y.at(tick), x.to, y.at(tick), "grid")
		out.text(x.from-6, y.at(tick)+4, "end", "faint", formatValue(tick*1.0000001, p.unit))
	}
	for _, tick := range x.ticks() {
		out.line(x.at(tick), y.from, x.at(tick), y.to, "grid")
		out.text(x.at(tick), y.from+16, "middle", "faint", digits(tick))
	}
	for _, style := range peers() {
		points := p.points(m, style.name)
		for i, point := range points {
			if i > 0 {
				out.stroke(x.at(points[i-1].x), y.at(points[i-1].y), x.at(point.x), y.at(point.y), style.colour)
			}
			out.dot(x.at(point.x), y.at(point.y), style.colour, style.title+": "+formatValue(point.y, p.unit))
		}
	}
}
