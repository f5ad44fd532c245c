package main

import (
	"fmt"
	"strings"
)

// tables returns every subject's table.
func tables(m *measurements) string {
	var out strings.Builder
	for _, s := range subjects() {
		rows := s.rows(m)
		if len(rows) == 0 {
			continue
		}
		fmt.Fprintf(&out, "### %s\n\n", s.title)
		if s.note != "" {
			fmt.Fprintf(&out, "%s\n\n", s.note)
		}
		text := table(m, rows)
		out.WriteString(text + "\n")
		if s.blanks != "" && strings.Contains(text, "| "+none+" |") {
			fmt.Fprintf(&out, "%s: %s\n\n", none, s.blanks)
		}
	}
	return out.String()
}

// table returns the rows, with a column for each peer that did any of the work.
func table(m *measurements, rows []row) string {
	var columns []peerStyle
	for _, p := range peers() {
		for _, r := range rows {
			if m.values[key{r.work, p.name, r.unit}] != nil {
				columns = append(columns, p)
				break
			}
		}
	}
	var out strings.Builder
	out.WriteString("| |")
	for _, p := range columns {
		out.WriteString(" " + p.title + " |")
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, r := range rows {
		out.WriteString("| " + r.label + " |")
		for _, p := range columns {
			out.WriteString(" " + cell(m, r, p.name) + " |")
		}
		out.WriteString("\n")
	}
	return out.String()
}

// cell returns a peer's median, and for another peer than us the ratio.
func cell(m *measurements, r row, peer string) string {
	k := key{r.work, peer, r.unit}
	v, ok := m.value(k)
	if !ok {
		return none
	}
	text := formatValue(v.Median, r.unit)
	ratio, ok := m.ratio(key{r.work, ours, r.unit}, k)
	if peer == ours || !ok {
		return text
	}
	return text + "<br>" + formatRatio(ratio)
}
