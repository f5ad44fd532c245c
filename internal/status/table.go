package status

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/display"
)

// Print writes shares as a table, or as lines where a terminal is too narrow for that.
func Print(out io.Writer, shares []Share) error {
	header := []string{"NAME", "CLIENT", "LEFT", "AGE", "STATE", "SHARERS"}
	hasEndpoint := slices.ContainsFunc(shares, func(s Share) bool { return s.HandedOut() != "" })
	if hasEndpoint {
		header = append(header, "HANDED OUT")
	}
	var rows [][]string
	for _, s := range shares {
		left := display.Life(time.Duration(s.RemainingSeconds * float64(time.Second)))
		age := "-"
		if !s.PublishedAt.IsZero() {
			age = display.Life(time.Duration(s.AgeSeconds * float64(time.Second)))
		}
		row := []string{s.Title(), cmp.Or(display.Line(s.ClientID), "-"), left, age, s.State, cmp.Or(s.pids(), "-")}
		if hasEndpoint {
			row = append(row, cmp.Or(s.HandedOut(), "-"))
		}
		rows = append(rows, row)
	}
	if err := display.Table(out, header, rows); err != nil {
		return err
	}
	for _, s := range shares {
		if s.Limit == nil {
			continue
		}
		if _, err := fmt.Fprintf(out, "%s: %s\n", s.Title(), s.Limit.text()); err != nil {
			return err
		}
	}
	return nil
}

// pids returns the ids of the sharers' processes, with their hosts if they have any, as one line.
func (s *Share) pids() string {
	var text []string
	for _, sharer := range s.Sharers {
		process := strconv.Itoa(sharer.PID)
		if sharer.Host != "" {
			process += "@" + sharer.Host
		}
		text = append(text, display.Line(process))
	}
	return strings.Join(text, " ")
}
