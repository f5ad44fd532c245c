package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/shsession/shsession"
)

// aWatch returns a watch of n tokens that were seen twice, and what changed.
func aWatch(t *testing.T, n int) (*watch, []change) {
	t.Helper()
	var rows []segmentRow
	for i := range n {
		token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token":"t%d","expires_in":3600,"expires_at":%d}`, i,
			time.Now().Add(time.Duration(i)*10*time.Minute).Unix()))
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, segmentRow{Name: strings.Repeat("name-", i%9+1), State: stateShared, token: token, Sharers: []sharerRow{{PID: 1000 + i}}})
	}
	var w watch
	changes := w.note(time.Now(), rows, nil)
	for i := range rows {
		rows[i].State, rows[i].Sharers = stateOrphan, nil
	}
	return &w, append(changes, w.note(time.Now(), rows, nil)...)
}

// A picture has the terminal's size, whatever that is.
func TestFrameFits(t *testing.T) {
	for _, n := range []int{0, 1, 9} {
		w, changes := aWatch(t, n)
		for _, problem := range []error{nil, errors.New(strings.Repeat("it failed ", 30))} {
			changes := append(changes, w.note(time.Now(), nil, problem)...)
			for width := 1; width <= 200; width++ {
				for _, height := range []int{1, 2, 5, 12, 50} {
					lines := painter{}.frame(picture{w, changes, time.Now(), width, height})
					if len(lines) != height {
						t.Fatalf("%d tokens at %d×%d: %d lines", n, width, height, len(lines))
					}
					for _, line := range lines {
						if utf8.RuneCountInString(line) > width {
							t.Fatalf("%d tokens at %d×%d: %q is too long", n, width, height, line)
						}
						if strings.Contains(line, "\x1b") {
							t.Fatalf("%q has colours", line)
						}
					}
				}
			}
		}
	}
}

// The bar is as long as the life that is left, to an eighth of a character.
func TestBar(t *testing.T) {
	for part, want := range map[float64]string{
		0: "░░░░", 0.5: "██░░", 0.53125: "██▏░", 0.96875: "███▉", 1: "████",
	} {
		left := time.Duration(part * float64(1000*time.Hour))
		token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token":"t","expires_at":%d}`, time.Now().Add(left+time.Minute).Unix()))
		if err != nil {
			t.Fatal(err)
		}
		if part == 0 {
			token = token.WithExpiry(time.Now().Add(-time.Second))
		}
		h := &history{segmentRow: segmentRow{token: token}, life: 1000 * time.Hour}
		if part == 1 {
			h.life = token.Remaining() - time.Second
		}
		if got := (painter{}).bar(h, 4); got != want {
			t.Errorf("%v: %s, want %s", part, got, want)
		}
	}
}

// Colours tell a fresh token from one that is due, and from one that nobody renews.
func TestBarColours(t *testing.T) {
	for _, c := range []struct {
		left  time.Duration
		state string
		want  string
	}{
		{30 * time.Minute, stateShared, green},
		{time.Minute, stateShared, yellow},
		{30 * time.Minute, stateOrphan, red},
	} {
		token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token":"t","expires_at":%d}`, time.Now().Add(c.left).Unix()))
		if err != nil {
			t.Fatal(err)
		}
		h := &history{segmentRow: segmentRow{token: token, State: c.state}, life: time.Hour}
		if bar := (painter{hasColour: true}).bar(h, 200); !strings.HasPrefix(bar, "\x1b["+c.want+"m█") {
			t.Errorf("%v left, %s: %q", c.left, c.state, bar)
		}
	}
}

// What a watch is shown becomes events, and counts of renewals and failures.
func TestWatchEvents(t *testing.T) {
	row := func(access, state string, pids ...int) segmentRow {
		token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token":%q,"expires_at":%d}`, access, time.Now().Add(time.Hour).Unix()))
		if err != nil {
			t.Fatal(err)
		}
		r := segmentRow{Name: "name", State: state, token: token}
		for _, pid := range pids {
			r.Sharers = append(r.Sharers, sharerRow{PID: pid})
		}
		return r
	}
	var w watch
	for _, step := range []struct {
		rows     []segmentRow
		err      error
		want     string
		renewals int
		failures int
	}{
		{nil, shsession.ErrNotShared, "[]", 0, 0},
		{[]segmentRow{row("a", stateShared, 1)}, nil, "[found]", 0, 0},
		{[]segmentRow{row("a", stateShared, 1)}, nil, "[]", 0, 0},
		{[]segmentRow{row("b", stateShared, 1, 2)}, nil, "[renewed sharers]", 1, 0},
		{nil, errors.New("no answer"), "[error]", 1, 0},
		{nil, errors.New("no answer"), "[]", 1, 0},
		{[]segmentRow{row("b", stateExpired, 1, 2)}, nil, "[expired]", 1, 1},
		{[]segmentRow{row("c", stateShared, 1, 2)}, nil, "[renewed]", 2, 1},
		{[]segmentRow{row("c", stateOrphan)}, nil, "[orphaned]", 2, 2},
		{[]segmentRow{row("c", stateShared, 3)}, nil, "[sharers]", 2, 2},
		{nil, nil, "[gone]", 0, 0},
		{[]segmentRow{row("d", stateCached)}, nil, "[found]", 0, 0},
		{[]segmentRow{row("d", stateExpired)}, nil, "[expired]", 0, 0},
	} {
		var events []event
		for _, c := range w.note(time.Now(), step.rows, step.err) {
			events = append(events, c.Event)
		}
		if got := fmt.Sprint(events); got != step.want {
			t.Errorf("got %s, want %s", got, step.want)
		}
		for _, h := range w.tokens {
			if h.renewals != step.renewals || h.failures != step.failures {
				t.Errorf("after %s: %d renewals and %d failures, want %d and %d", step.want, h.renewals, h.failures, step.renewals, step.failures)
			}
		}
	}
}
