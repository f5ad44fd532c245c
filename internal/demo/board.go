package demo

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shsession/shsession/internal/display"
)

// A board shows what the demo's workers do: as a table that is drawn again and again on
// a terminal, else as a line a second.
type board struct {
	out    io.Writer
	isLive bool
	start  time.Time
	rows   []*row
	tokens map[string]int // the number of each token seen, from 1
	latest report         // of the newest token
	lines  int            // of the table, as it stands on the terminal
}

// A row is one process.
type row struct {
	name     string
	pid      int // 0 for a goroutine
	requests int
	failed   int
	tokens   map[string]bool
	isKilled bool
}

func newBoard(out io.Writer) *board {
	return &board{out: out, isLive: display.CanDraw(out), start: time.Now(), tokens: map[string]int{}}
}

func (b *board) add(name string, pid int) *row {
	r := &row{name: name, pid: pid, tokens: map[string]bool{}}
	b.rows = append(b.rows, r)
	return r
}

// event prints a line that stays.
func (b *board) event(format string, args ...any) {
	b.erase()
	fmt.Fprintf(b.out, "%5.1fs  %s\n", time.Since(b.start).Seconds(), fmt.Sprintf(format, args...))
}

// listen follows what is reported, until a time.
func (b *board) listen(ctx context.Context, reports <-chan said, until time.Time) error {
	ended := time.NewTimer(time.Until(until))
	defer ended.Stop()
	pause := time.Second
	if b.isLive {
		pause = 100 * time.Millisecond
	}
	redraw := time.NewTicker(pause)
	defer redraw.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ended.C:
			return nil
		case <-redraw.C:
			b.draw()
		case s := <-reports:
			if s.end == nil {
				b.note(s.row, s.report)
			} else if !s.end.expected {
				return s.end.unexpected()
			}
		}
	}
}

// note counts a report.
func (b *board) note(r *row, said report) {
	if said.isRequest() {
		r.requests++
	}
	if said.isRequest() && !said.ok() {
		r.failed++
		b.event("%s: a request failed: %s", r.name, display.Line(said.String()))
	}
	if said.Token == "" {
		return
	}
	r.tokens[said.Token] = true
	if b.tokens[said.Token] == 0 {
		b.tokens[said.Token] = len(b.tokens) + 1
		b.latest = said
	}
}

func (b *board) totals() (requests, failed int) {
	for _, r := range b.rows {
		requests += r.requests
		failed += r.failed
	}
	return requests, failed
}

// draw shows the state.
func (b *board) draw() {
	requests, failed := b.totals()
	left := max(0, time.Until(time.UnixMilli(int64(b.latest.ExpiresAt*1000))).Seconds())
	if !b.isLive {
		fmt.Fprintf(b.out, "%5.1fs  token %d lives %.1fs more; %d requests, %d failed\n",
			time.Since(b.start).Seconds(), len(b.tokens), left, requests, failed)
		return
	}
	var text strings.Builder
	bar := strings.Repeat("█", int(20*min(1, left/shareLife.Seconds())))
	fmt.Fprintf(&text, "\n%5.1fs  token %-3d %-20s %.1fs left\n\n%s", time.Since(b.start).Seconds(), len(b.tokens), bar, left, b.table())
	b.erase()
	b.lines = strings.Count(text.String(), "\n")
	io.WriteString(b.out, text.String())
}

// table returns a line for each process.
func (b *board) table() string {
	var text strings.Builder
	fmt.Fprintf(&text, "  %-10s %8s %9s %7s %7s\n", "PROCESS", "PID", "REQUESTS", "FAILED", "TOKENS")
	for _, r := range b.rows {
		pid, end := "-", ""
		if r.pid != 0 {
			pid = fmt.Sprint(r.pid)
		}
		if r.isKilled {
			end = "  killed"
		}
		fmt.Fprintf(&text, "  %-10s %8s %9d %7d %7d%s\n", r.name, pid, r.requests, r.failed, len(r.tokens), end)
	}
	return text.String()
}

// erase takes the table off the terminal.
func (b *board) erase() {
	if b.lines > 0 {
		fmt.Fprintf(b.out, "\x1b[%dA\x1b[J", b.lines) // up, and clear to the end of the screen
	}
	b.lines = 0
}

// summary prints the counts. It returns an error if a request failed, or if somebody
// who should have made some made none.
func (b *board) summary(logins int64) error {
	requests, failed := b.totals()
	fmt.Fprintf(b.out, "\n%s\n", b.table())
	fmt.Fprintf(b.out, "%d requests, %d failed, %d tokens, %d logins.\n", requests, failed, len(b.tokens), logins)
	if r := b.idle(); r != nil {
		return fmt.Errorf("%s has made no request", r.name)
	}
	return failure(requests, failed)
}

// idle returns the row of somebody who should have made a request and has made none, or nil.
func (b *board) idle() *row {
	for _, r := range b.rows {
		if r.requests == 0 && !r.isKilled && r.name != roleSharer {
			return r
		}
	}
	return nil
}
