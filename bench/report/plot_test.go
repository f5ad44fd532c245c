package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
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

// Each plot names those who are drawn, draws them in their colours, and names no others.
func TestPlots(t *testing.T) {
	m := everything()
	for _, c := range []struct {
		name  string
		draw  func(*measurements) ([]byte, error)
		names []string
	}{
		{"ratios", ratioPlot, []string{"floor", "x/oauth2", "aws-sdk-go-v2", "Python sentinelhub", "no proxy"}},
		{"renewal", renewalPlot, []string{"shsession", "x/oauth2"}},
		{"growth", growthPlot, []string{"shsession", "floor", "Python sentinelhub"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			picture, err := c.draw(m)
			if err != nil {
				t.Fatal(err)
			}
			texts := textsOf(t, picture)
			for _, p := range peers() {
				want := slices.Contains(c.names, p.title)
				if named := slices.Contains(texts, p.title); named != want {
					t.Errorf("%s is named: %v, want %v", p.title, named, want)
				}
				colour := fmt.Sprintf("#%02X%02X%02X", p.colour.R, p.colour.G, p.colour.B)
				if drawn := strings.Count(string(picture), colour) > 1; drawn != want { // once is the legend alone
					t.Errorf("%s is drawn: %v, want %v", p.title, drawn, want)
				}
			}
		})
	}
}

// The plot of ratios has a row for each benchmark of the subjects that are in it.
func TestRatioPlotIsWhole(t *testing.T) {
	m := &measurements{rounds: 10, values: map[key][]float64{}}
	for _, s := range subjects() {
		for _, benchmark := range s.benchmarks {
			for round := range m.rounds {
				m.put(round, key{benchmark + "/in=" + benchmark, ours, seconds}, 2e-6)
				m.put(round, key{benchmark + "/in=" + benchmark, "floor", seconds}, 1e-6)
			}
		}
	}
	picture, err := ratioPlot(m)
	if err != nil {
		t.Fatal(err)
	}
	texts := strings.Join(textsOf(t, picture), "\n")
	for _, want := range []string{
		"FreshBy", "Expiry", "Transport", "Joining", "Store", "Redis", "Directory", "Command", "Proxy", "HandOut", "LimitTransport",
	} {
		if !strings.Contains(texts, want) {
			t.Errorf("no row of %s in the plot", want)
		}
	}
}

// textsOf returns the texts of a picture.
func textsOf(t *testing.T, picture []byte) (texts []string) {
	t.Helper()
	decoder := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return texts
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts = append(texts, string(text))
		}
	}
}
