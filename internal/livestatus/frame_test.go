package livestatus

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/status"
)

// aRow returns the row of a token that has so much left, shared by processes.
func aRow(t *testing.T, name, state string, left time.Duration, pids ...int) status.Share {
	t.Helper()
	token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token":"%x","expires_in":3600,"expires_at":%d}`, name, time.Now().Add(left).Unix()))
	if err != nil {
		t.Fatal(err)
	}
	r := status.Share{Name: name, ClientID: "0f7c1f3a-5d0e-4b1f-9d55-0123456789ab", State: state, Token: token, ExpiresAt: token.ExpiresAt(),
		RemainingSeconds: status.Seconds(token.Remaining())}
	for _, pid := range pids {
		r.Sharers = append(r.Sharers, status.Sharer{PID: pid})
	}
	return r
}

const aCache = "shsession-0123456789ab-cdef"

// aWatch returns a watch of n tokens and a cache that were seen twice, and what changed.
func aWatch(t *testing.T, n int) (*watch, []change) {
	t.Helper()
	names := []string{"name", "sh-session-token", "衛星データの共有トークン", "e\u0301te\u0301", strings.Repeat("long-", 9)}
	var rows []status.Share
	for i := range n {
		rows = append(rows, aRow(t, fmt.Sprint(names[i%len(names)], i), status.Shared, time.Duration(i)*10*time.Minute, 1000+i))
	}
	if n > 0 {
		rows = append(rows, aRow(t, aCache, status.Cached, 30*time.Minute))
	}
	var w watch
	changes := w.note(time.Now(), rows, nil)
	for i := range n {
		if i%2 == 0 {
			rows[i].State, rows[i].Sharers = status.Orphaned, nil
			continue
		}
		rows[i].Sharers = []status.Sharer{{PID: 1000 + i, Report: &status.Report{Failures: 3, LastError: strings.Repeat("no answer ", 9),
			NextTry: time.Now().Add(time.Minute)}}}
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
					lines := painter{}.frame(picture{w, changes, time.Now(), width, height, false})
					if len(lines) != height {
						t.Fatalf("%d tokens at %d×%d: %d lines", n, width, height, len(lines))
					}
					for _, line := range lines {
						if widthOf(line) > width {
							t.Fatalf("%d tokens at %d×%d: %q is too long", n, width, height, line)
						}
						if strings.Contains(line, "\x1b") {
							t.Fatalf("%q has colours", line)
						}
					}
				}
			}
			w, _ = aWatch(t, n)
		}
	}
}

// What matters is there at usual sizes, and caches take nothing away from it.
func TestFrameTells(t *testing.T) {
	rows := []status.Share{
		aRow(t, aCache, status.Cached, 20*time.Minute+30*time.Second),
		aRow(t, "sh-session-token", status.Shared, 50*time.Minute+30*time.Second, 4711, 4712),
	}
	rows[1].Sharers[0].Report = &status.Report{Renewals: 5, Failures: 7, LastError: "token endpoint http://id.example/auth/token answered 503",
		RenewAt: time.Now().Add(-time.Second), NextTry: time.Now().Add(42 * time.Second)}
	var w watch
	changes := w.note(time.Now(), rows, nil)
	changes = append(slices.Repeat(changes, 40), change{Event: eventProblem, Error: "the newest"})
	for _, size := range [][2]int{{60, 24}, {80, 24}, {80, 12}, {120, 40}, {80, 7}} {
		lines := painter{}.frame(picture{&w, changes, time.Now(), size[0], size[1], false})
		shown := strings.Join(lines, "\n")
		wanted := []string{"next renewal in 42s   1 shared, 1 cached", "sh-session-token", "█", "50m", "cache of 0f7c1", "20m"}
		if size[1] > 7 {
			wanted = append(wanted, "the newest")
			wanted = append(wanted, "shared by 4711 4712", "renewed 5", "failed 7", "trying again in 42s: token endpoint answered 503", renewalMark, "q quits")
		}
		for _, want := range wanted {
			if !strings.Contains(shown, want) {
				t.Errorf("at %v there is no %q:\n%s", size, want, shown)
			}
		}
		if strings.Index(shown, "cache of") < strings.Index(shown, "sh-session-token") {
			t.Errorf("the cache comes first:\n%s", shown)
		}
	}
}

func textOf(l line) string { return painter{}.paint(l, 1000) }

// The bar is as long as the life that is left, to an eighth of a character.
func TestBar(t *testing.T) {
	now := time.Now()
	for part, want := range map[float64]string{
		-1: "░░░░", 0: "░░░░", 0.5: "██░░", 0.53125: "██▏░", 0.96875: "███▉", 1: "████", 1.1: "████",
	} {
		h := &history{Share: status.Share{ExpiresAt: now.Add(time.Duration(part * float64(time.Hour))), Name: aCache}, life: time.Hour}
		if got := textOf(h.bar(now, 4)); got != want {
			t.Errorf("%v: %s, want %s", part, got, want)
		}
	}
}

// The mark is where the bar ends when the token is due for renewal: as its sharer says, or as sharers do it.
func TestBarMark(t *testing.T) {
	row := aRow(t, "name", status.Shared, 45*time.Minute, 1)
	h := &history{Share: row, life: time.Hour}
	now := row.ExpiresAt.Add(-45 * time.Minute)
	if got := textOf(h.bar(now, 60)); got != "██"+renewalMark+strings.Repeat("█", 42)+strings.Repeat("░", 15) {
		t.Errorf("got %s", got)
	}
	h.Sharers[0].Report = &status.Report{RenewAt: row.ExpiresAt.Add(-50 * time.Minute)}
	if got := textOf(h.bar(now, 60)); got != strings.Repeat("█", 45)+"░░░░░"+renewalMark+strings.Repeat("░", 9) {
		t.Errorf("got %s", got)
	}
}

// Colours tell a fresh token from one that is due, and from one that nobody renews.
func TestColours(t *testing.T) {
	for _, c := range []struct {
		left  time.Duration
		state string
		want  string
	}{
		{30 * time.Minute, status.Shared, green},
		{time.Minute, status.Shared, yellow},
		{30 * time.Minute, status.Orphaned, red},
		{-time.Minute, status.Expired, red},
	} {
		h := &history{Share: aRow(t, "name", c.state, c.left), life: time.Hour}
		h.ExpiresAt = time.Now().Add(c.left)
		var w watch
		w.tokens = []*history{h}
		for name, lines := range map[string][]line{"card": picture{&w, nil, time.Now(), 80, 24, false}.card(h), "row": {picture{&w, nil, time.Now(), 80, 24, false}.row(h)}} {
			shown := ""
			for _, l := range lines {
				shown += painter{hasColour: true}.paint(l, 80)
			}
			if !strings.HasPrefix(shown, "\x1b["+c.want+"m●") {
				t.Errorf("%v left, %s, %s: %q", c.left, c.state, name, shown)
			}
			if red := regexp.MustCompile(`\x1b\[31m *expired`).MatchString(shown); red != (c.left < 0) {
				t.Errorf("%v left, %s, %s: expired in red is %t: %q", c.left, c.state, name, red, shown)
			}
		}
	}
}

// What a watch is shown becomes events, and counts of renewals and failures.
func TestWatchEvents(t *testing.T) {
	row := func(access, state string, pids ...int) status.Share {
		r := aRow(t, access, state, time.Hour, pids...)
		r.Name = "name"
		return r
	}
	var w watch
	for _, step := range []struct {
		rows     []status.Share
		err      error
		want     string
		renewals int
		failures int
	}{
		{nil, shsession.ErrNotShared, "[]", 0, 0},
		{[]status.Share{row("a", status.Shared, 1)}, nil, "[found]", 0, 0},
		{[]status.Share{row("a", status.Shared, 1)}, nil, "[]", 0, 0},
		{[]status.Share{row("b", status.Shared, 1, 2)}, nil, "[renewed sharers]", 1, 0},
		{nil, errors.New("no answer"), "[error]", 1, 0},
		{nil, errors.New("no answer"), "[]", 1, 0},
		{[]status.Share{row("b", status.Expired, 1, 2)}, nil, "[expired]", 1, 1},
		{[]status.Share{row("c", status.Shared, 1, 2)}, nil, "[renewed]", 2, 1},
		{[]status.Share{row("c", status.Expired, 1)}, nil, "[expired sharers]", 2, 2},
		{[]status.Share{row("c", status.Expired)}, nil, "[sharers]", 2, 2},
		{[]status.Share{row("c", status.Shared, 1, 2)}, nil, "[sharers]", 2, 2},
		{[]status.Share{row("c", status.Orphaned)}, nil, "[orphaned]", 2, 3},
		{[]status.Share{row("c", status.Shared, 3)}, nil, "[sharers]", 2, 3},
		{nil, nil, "[gone]", 0, 0},
		{[]status.Share{row("d", status.Cached)}, nil, "[found]", 0, 0},
		{[]status.Share{row("d", status.Expired)}, nil, "[expired]", 0, 0},
	} {
		w.expect(t, step.rows, step.err, step.want, step.renewals, step.failures)
	}
}

// expect notes a look, and compares what comes of it.
func (w *watch) expect(t *testing.T, rows []status.Share, err error, want string, renewals, failures int) {
	t.Helper()
	var events []event
	for _, c := range w.note(time.Now(), slices.Clone(rows), err) {
		events = append(events, c.Event)
	}
	if got := fmt.Sprint(events); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, h := range w.tokens {
		if h.renewals != renewals || h.failures != failures {
			t.Errorf("after %s: %d renewals and %d failures, want %d and %d", want, h.renewals, h.failures, renewals, failures)
		}
	}
}

// What sharers tell is counted once, whoever comes and goes.
func TestWatchHearsSharers(t *testing.T) {
	told := func(access string, reports ...status.Sharer) []status.Share {
		r := aRow(t, access, status.Shared, time.Hour)
		r.Name, r.Sharers = "name", reports
		return []status.Share{r}
	}
	tells := func(pid int, renewals, failures uint64) status.Sharer {
		return status.Sharer{PID: pid, Report: &status.Report{Renewals: renewals, Failures: failures}}
	}
	var w watch
	w.expect(t, told("a", tells(1, 3, 2)), nil, "[found]", 3, 2)
	w.expect(t, told("a", tells(1, 3, 4)), nil, "[failed]", 3, 4)
	w.expect(t, told("a", tells(1, 3, 4)), nil, "[]", 3, 4)
	w.expect(t, told("b", tells(1, 4, 4)), nil, "[renewed]", 4, 4)
	w.expect(t, told("b", tells(1, 4, 4), tells(2, 0, 1)), nil, "[sharers]", 4, 5)
	w.expect(t, told("b", tells(1, 4, 5), tells(2, 0, 2)), nil, "[failed]", 4, 7)
	w.expect(t, told("b", status.Sharer{PID: 1}, tells(2, 0, 2)), nil, "[]", 4, 7)
	w.expect(t, told("b", tells(1, 4, 5), tells(2, 0, 2)), nil, "[]", 4, 7)
	w.expect(t, told("d", tells(1, 6, 5), tells(2, 2, 2)), nil, "[renewed]", 6, 7)
	w.expect(t, told("d", tells(1, 0, 1)), nil, "[sharers]", 6, 8)
}
