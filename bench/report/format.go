package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// none is what stands where nothing was measured.
const none = "—"

// formatValue returns a measured value with three digits and its unit.
func formatValue(v float64, unit string) string {
	base, _, _ := strings.Cut(unit, "/")
	switch {
	case unit == ofCore:
		return digits(v*100) + " %"
	case strings.HasSuffix(base, "sec"):
		return scaled(v, []scale{{1, "s"}, {1e-3, "ms"}, {1e-6, "µs"}, {1e-9, "ns"}})
	case base == "B" || strings.HasSuffix(base, "-B"):
		return scaled(v, []scale{{1e6, "MB"}, {1e3, "kB"}, {1, "B"}})
	}
	return digits(v)
}

type scale struct {
	factor float64
	unit   string
}

// scaled uses the first scale that v has a whole one of, or the last.
func scaled(v float64, scales []scale) string {
	for _, s := range scales {
		if math.Abs(v) >= s.factor {
			return digits(v/s.factor) + " " + s.unit
		}
	}
	last := scales[len(scales)-1]
	if v == 0 {
		return "0"
	}
	return digits(v/last.factor) + " " + last.unit
}

// digits returns v with three digits, and those before the point in any case.
func digits(v float64) string {
	if v == 0 {
		return "0"
	}
	decimals := 2 - int(math.Floor(math.Log10(math.Abs(v))))
	text := strconv.FormatFloat(v, 'f', max(decimals, 0), 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// formatRatio returns a ratio with its interval: 1.05 (1.03–1.07).
func formatRatio(e estimate) string {
	const least = 0.001 // below, it's another world
	switch {
	case e.Median < least:
		return "< 0.001"
	case !e.bounded():
		return digits(e.Median)
	}
	return fmt.Sprintf("%s (%s–%s)", digits(e.Median), digits(e.Low), digits(e.High))
}

// formatEstimate returns a value with its interval, unless that is nothing: 52 ns (51 ns–54 ns).
func formatEstimate(e estimate, unit string) string {
	value := formatValue(e.Median, unit)
	if !e.bounded() || e.Low == e.High {
		return value
	}
	return fmt.Sprintf("%s (%s–%s)", value, formatValue(e.Low, unit), formatValue(e.High, unit))
}
