package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// everything returns measurements of works of each plot, by the peers that do them.
func everything() *measurements {
	m := &measurements{rounds: 10, values: map[key][]float64{}}
	put := func(work, unit string, peers ...string) {
		for round := range m.rounds {
			for i, p := range peers {
				m.put(round, key{work, p, unit}, float64(1+i)*(1+0.1*float64(round))*1e-6)
			}
		}
	}
	put("Fresh/alone", seconds, ours, "floor", "x-oauth2", "aws-sdk", "python")
	put("Proxy/KB=1", seconds, ours, "floor", "direct")
	put("TokenSize/work=Collect/KB=1", seconds, ours, "floor", "python")
	put("TokenSize/work=Collect/KB=64", seconds, ours, "floor", "python")
	for _, unit := range []string{"p50-sec", "p99-sec", "p99.9-sec"} {
		put("Renewal", unit, ours, "x-oauth2")
	}
	return m
}

// Each plot's legend names those who are drawn, by the colours they are drawn in, and no others; and
// nothing is outside of the picture.
func TestPlots(t *testing.T) {
	m := everything()
	for _, c := range []struct {
		name, svg    string
		marks        int
		names, never []string
	}{
		{"ratios", ratioPlot(m), 4 + 2 + 5, []string{"floor", "x/oauth2", "aws-sdk-go-v2", "Python sentinelhub", "no proxy"}, []string{"nginx", "cloud/auth", "shsession"}},
		{"renewal", renewalPlot(m), 2, []string{"shsession", "x/oauth2"}, []string{"floor", "no proxy"}},
		{"growth", growthPlot(m), 6 + 3, []string{"shsession", "floor", "Python sentinelhub"}, []string{"no proxy", "x/oauth2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			texts, marks := readSVG(t, c.svg)
			if marks != c.marks {
				t.Errorf("%d marks, want %d", marks, c.marks)
			}
			for _, name := range c.names {
				if !slices.Contains(texts, name) {
					t.Errorf("%q is not named in %q", name, texts)
				}
			}
			for _, name := range c.never {
				if slices.Contains(texts, name) {
					t.Errorf("%q is named, and not drawn", name)
				}
			}
			for _, p := range peers() {
				if strings.Contains(c.svg, p.colour) != slices.Contains(c.names, p.title) {
					t.Errorf("the colour of %s is drawn, or named, but not both", p.title)
				}
			}
		})
	}
}

// readSVG returns the texts of a picture and how many marks it has, and checks that all of it is inside.
func readSVG(t *testing.T, picture string) (texts []string, marks int) {
	t.Helper()
	size := map[string]float64{}
	decoder := xml.NewDecoder(strings.NewReader(picture))
	for inText := false; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts, marks
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			if inText {
				texts = append(texts, string(token))
			}
		case xml.StartElement:
			inText = token.Name.Local == "text"
			for _, a := range token.Attr {
				number, err := strconv.ParseFloat(a.Value, 64)
				switch limit := size[axis(a.Name.Local)]; {
				case a.Name.Local == "class" && a.Value == "mark":
					marks++
				case err != nil:
				case token.Name.Local == "svg":
					size[a.Name.Local] = number
				case axis(a.Name.Local) != "" && (number < 0 || number > limit):
					t.Errorf("%s: %s is %g, beyond %g", token.Name.Local, a.Name.Local, number, limit)
				}
			}
		case xml.EndElement:
			inText = false
		}
	}
}

// axis returns the side of the picture that limits a coordinate, "" for what is none.
func axis(name string) string {
	switch name {
	case "x", "x1", "x2", "cx":
		return "width"
	case "y", "y1", "y2", "cy":
		return "height"
	}
	return ""
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   string
	}{
		{[]float64{50, 55}, "20 50 100"}, {[]float64{0.01, 30}, "0.01 0.03 0.1 0.3 1 3 10 30"}, {[]float64{1e-7, 1}, ""},
	} {
		var got []string
		for _, tick := range newLogScale(c.values, 1, 0, 1).ticks() {
			got = append(got, digits(tick))
		}
		if text := strings.Join(got, " "); c.want != "" && text != c.want || len(got) < 3 || len(got) > 8 {
			t.Errorf("%v: ticks %q, want %q", c.values, text, c.want)
		}
	}
}
