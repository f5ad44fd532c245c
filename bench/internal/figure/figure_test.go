package figure_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/shsession/shsession/bench/internal/figure"
)

func TestRound(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{16, 160, "20 50 100"}, {0.009, 31, "0.01 0.03 0.1 0.3 1 3 10 30"}, {0.9e-4, 1.1, "0.0001 0.001 0.01 0.1 1"},
	} {
		var got []string
		for _, v := range figure.Round(c.low, c.high) {
			got = append(got, fmt.Sprintf("%.4g", v))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("between %g and %g: %s, want %s", c.low, c.high, text, c.want)
		}
	}
}

// A place may be empty, and fonts have a substitute where a reader lacks them.
func TestSVG(t *testing.T) {
	p := figure.New("a title")
	p.Add(figure.Stroke(figure.Line, 1, plotter.XY{X: 1, Y: 1}, plotter.XY{X: 100, Y: 2}))
	figure.Logarithmic(&p.X, 1, func(v float64) string { return fmt.Sprintf("<%g>", v) })
	svg, err := figure.Picture{Title: "all", Width: 200, Height: 100, Plots: [][]*plot.Plot{{p, nil}}}.SVG()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a title", ">all<", "&lt;10&gt;", "Arial,sans-serif"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("no %q in\n%s", want, svg)
		}
	}
}
