package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"time"
)

// The plot's size, and where its two panels are, in pixels.
const (
	plotWidth, plotHeight     = 860, 470
	panelLeft, panelWidth     = 70, 770
	panelHeight               = 150
	readsBottom, delaysBottom = 200, 420

	// plotted is how many token lives are in the upper panel.
	plotted = 5
)

// plot draws an SVG image: above, when the followers read Redis; below, how long after its publication they
// had a token.
func (r *result) plot() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">
<rect width="100%%" height="100%%" fill="#fff"/>
`, plotWidth, plotHeight)
	r.plotReads(&b)
	r.plotDelays(&b)
	fmt.Fprintln(&b, "</svg>")
	return b.Bytes()
}

// plotReads draws the reads in each slice of time as bars, and a line where a token was published.
func (r *result) plotReads(w io.Writer) {
	begin, length := r.settled(), plotted*r.window()
	most := max(r.busiest(), 1)
	x := func(at time.Duration) float64 { return panelLeft + panelWidth*float64(at-begin)/float64(length) }
	text(w, panelLeft, readsBottom-panelHeight-18, "start", fmt.Sprintf("reads of Redis by %d followers, in each %v", len(r.followers), slice))
	for i := range r.history.reads {
		at, n := time.Duration(i)*slice, float64(r.history.reads[i].Load())
		if at < begin || at >= begin+length || n == 0 {
			continue
		}
		height := panelHeight * n / float64(most)
		fmt.Fprintf(w, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="#3572b0"/>`+"\n",
			x(at), readsBottom-height, panelWidth*float64(slice)/float64(length), height)
	}
	for _, at := range r.publications() {
		if at >= begin && at <= begin+length {
			line(w, x(at), readsBottom-panelHeight, x(at), readsBottom, "#c0392b")
			text(w, x(at)+4, readsBottom-panelHeight+10, "start", "new token")
		}
	}
	axes(w, readsBottom, fmt.Sprint(most))
	for at := time.Duration(0); at <= length; at += max(length/10, time.Second).Round(time.Second) {
		text(w, x(begin+at), readsBottom+16, "middle", at.String())
	}
}

// settled is shortly before the first token after all followers have started.
func (r *result) settled() time.Duration {
	all := r.publications()
	i, _ := slices.BinarySearch(all, ramp+r.window()/2)
	return all[min(i, len(all)-1)] - r.window()/10
}

// publications returns when the tokens were published, since the start.
func (r *result) publications() []time.Duration {
	var all []time.Duration
	for _, token := range r.history.tokens {
		all = append(all, token.at.Sub(r.history.start))
	}
	slices.Sort(all)
	return all
}

// plotDelays draws which part of the followers had a token how long after its publication.
func (r *result) plotDelays(w io.Writer) {
	window, delays := r.window(), r.delays()
	x := func(d time.Duration) float64 { return panelLeft + panelWidth*float64(min(d, window))/float64(window) }
	y := func(q float64) float64 { return delaysBottom - panelHeight*q }
	text(w, panelLeft, delaysBottom-panelHeight-18, "start", "part of the followers that have a new token, by the time since its publication")
	fmt.Fprintf(w, `<polyline fill="none" stroke="#3572b0" stroke-width="2" points="%.1f,%.1f`, x(0), y(0))
	for percent := range 100 {
		fmt.Fprintf(w, " %.1f,%.1f", x(quantile(delays, float64(percent)/100)), y(float64(percent)/100))
	}
	fmt.Fprintf(w, " %.1f,%.1f %.1f,%.1f\"/>\n", x(quantile(delays, 1)), y(1), x(window), y(1))
	p99 := quantile(delays, 0.99)
	line(w, x(p99), y(0), x(p99), y(1), "#888")
	text(w, x(p99)+4, y(0.5), "start", "99 %: "+p99.Round(10*time.Millisecond).String())
	line(w, x(window), y(0), x(window), y(1), "#c0392b")
	text(w, x(window)-4, y(0.5), "end", "the old token ends")
	axes(w, delaysBottom, "100 %")
	for at := time.Duration(0); at <= window; at += max(window/8, 100*time.Millisecond) {
		text(w, x(at), delaysBottom+16, "middle", at.String())
	}
}

// axes draws a panel's axes, with what the upper end of the vertical one means.
func axes(w io.Writer, bottom float64, top string) {
	line(w, panelLeft, bottom, panelLeft+panelWidth, bottom, "#000")
	line(w, panelLeft, bottom-panelHeight, panelLeft, bottom, "#000")
	text(w, panelLeft-6, bottom-panelHeight+4, "end", top)
	text(w, panelLeft-6, bottom+4, "end", "0")
}

func line(w io.Writer, x1, y1, x2, y2 float64, colour string) {
	fmt.Fprintf(w, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>`+"\n", x1, y1, x2, y2, colour)
}

// text writes words at a point: its "start", "middle" or "end".
func text(w io.Writer, x, y float64, anchor, words string) {
	fmt.Fprintf(w, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, words)
}
