package main

import (
	"slices"
	"strings"
)

// A subject is one table: some benchmarks, in some units.
type subject struct {
	title      string
	benchmarks []string // the first parts of their names
	units      []string
	note       string // below the title
	inPlot     bool
}

// seconds is the unit of everything that takes time.
const seconds = "sec/op"

func subjects() []subject {
	return []subject{
		{"A fresh token", []string{"Fresh", "FreshBy"}, []string{seconds},
			"Floor: an atomic load and a reading of the wall clock. With n goroutines, the time is what one call adds.", true},
		{"Across a renewal", []string{"Renewal"}, []string{"p50-sec", "p99-sec", "p99.9-sec", "stalled/op", "requests/op"},
			"64 callers ask every millisecond while the token is renewed at an endpoint that takes 50 ms. What counts is the calls that overlap the renewal; stalled are callers of whom a call took more than 10 ms.", false},
		{"At expiry", []string{"Expiry"}, []string{seconds, "requests/op"},
			"1,000 callers ask at once for a token that has expired, at an endpoint that takes 50 ms: the time to the last answer, and the requests made. Floor: one request.", true},
		{"Calls of a session", []string{"Headers", "Info", "Login", "Transport"}, []string{seconds},
			"Floors: a header made of a string at hand; base64 and encoding/json on one struct; one request on a connection that is open; a request with a header made before.", true},
		{"Joining", []string{"Collect", "Joining"}, []string{seconds},
			"The token is in shared memory. Floor: to open, read and close the file. A Store that knows the token has read it before; a new one has not.", true},
		{"Stores", []string{"Store", "Redis"}, []string{seconds},
			"Floors: to write a file and rename it; to open, lock and close one; in Redis on the loopback interface, GET, SET, and SET NX with DEL on a bare connection.", true},
		{"Sharing", []string{"ShareRenewal", "ShareIdle", "ShareCommand"}, []string{"cpu-sec/renewal", "cpu-sec/s", "heap-B", "goroutines", "resident-B"},
			"Floors: a renewal that nobody shares; the same process without a Sharing; a Go program that waits.", false},
		{"The command", []string{"Command"}, []string{seconds},
			"A process from its start to its end. Floor: a static Go program that says hello. python -S is `python3 -S -c pass`; python imports sentinelhub and logs in each time, since it keeps no token.", true},
		{"The proxy", []string{"Proxy"}, []string{seconds},
			"Answers of 1 KB and of 16 MB through a proxy, a process of its own, with connections that are open. Floor: httputil.ReverseProxy with one header. nginx adds a fixed header; direct is no proxy.", false},
		{"Growth with the token's size", []string{"TokenSize"}, []string{seconds}, "", false},
		{"Growth with readers", []string{"Readers"}, []string{"cpu-sec/read"},
			"Processor time of one Load by processes that all read without pause. Floor: the same with open, read and close.", false},
		{"Growth with followers", []string{"Followers"}, []string{"sec/follower", "heap-B/follower"},
			"Sessions of one process, each made by Follow and asked for its first token. Floor: to open, read and close the file.", false},
	}
}

// A row is one line of a table.
type row struct {
	label string
	work  string
	unit  string
}

// rows returns a subject's rows, by benchmark, then by unit.
func (s subject) rows(m *measurements) []row {
	var rows []row
	for _, benchmark := range s.benchmarks {
		for _, work := range m.worksOf(benchmark) {
			for _, unit := range s.units {
				if !m.hasUnit(work, unit) {
					continue
				}
				rows = append(rows, row{label(work, unit, s), work, unit})
			}
		}
	}
	return rows
}

// worksOf returns a benchmark's works, in natural order: 2 before 10.
func (m *measurements) worksOf(benchmark string) []string {
	var works []string
	for _, work := range m.works {
		if first, _, _ := strings.Cut(work, "/"); first == benchmark {
			works = append(works, work)
		}
	}
	slices.SortFunc(works, naturally)
	return works
}

func (m *measurements) hasUnit(work, unit string) bool {
	for _, p := range peers() {
		if m.values[key{work, p.name, unit}] != nil {
			return true
		}
	}
	return false
}

// label is how a row is called in its table.
func label(work, unit string, s subject) string {
	first, rest, _ := strings.Cut(work, "/")
	var parts []string
	if len(s.benchmarks) > 1 {
		parts = append(parts, benchmarkTitle(first))
	}
	for part := range strings.SplitSeq(rest, "/") {
		parts = append(parts, partTitle(part))
	}
	if len(s.units) > 1 {
		parts = append(parts, unitName(unit))
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) == 0 {
		return benchmarkTitle(first)
	}
	return strings.Join(parts, ", ")
}

// partTitle says one part of a benchmark's name: a number of something, or a kind.
func partTitle(part string) string {
	name, value, ok := strings.Cut(part, "=")
	if !ok {
		return part
	}
	if value == "1" {
		name = strings.TrimSuffix(name, "s")
	}
	if _, rest := leadingNumber(value); rest == "" {
		return value + " " + name
	}
	return value
}

// benchmarkTitle says a benchmark's name where that isn't clear.
func benchmarkTitle(name string) string {
	switch name {
	case "Fresh":
		return "New"
	case "FreshBy", "Joining":
		return ""
	case "Expiry":
		return "1,000 callers"
	case "Store":
		return "shared memory"
	case "ShareRenewal":
		return "renewal"
	case "ShareIdle":
		return "idle Sharing"
	case "ShareCommand":
		return "idle command"
	}
	return name
}

// unitName says what a unit measures.
func unitName(unit string) string {
	switch unit {
	case seconds:
		return "time"
	case "p50-sec", "p99-sec", "p99.9-sec":
		return strings.TrimSuffix(unit, "-sec")
	case "cpu-sec/renewal", "cpu-sec/read":
		return "processor time"
	case "cpu-sec/s":
		return "processor time a second"
	case "heap-B", "heap-B/follower":
		return "heap"
	case "resident-B":
		return "resident memory"
	case "sec/follower":
		return "time"
	}
	name, _, _ := strings.Cut(unit, "/")
	return name
}

// naturally compares texts with the numbers in them as numbers.
func naturally(a, b string) int {
	for a != "" && b != "" {
		na, ra := leadingNumber(a)
		nb, rb := leadingNumber(b)
		if ra != a && rb != b {
			if na != nb {
				return na - nb
			}
			a, b = ra, rb
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// leadingNumber splits the number off that text starts with, if it does.
func leadingNumber(text string) (n int, rest string) {
	for text != "" && '0' <= text[0] && text[0] <= '9' {
		n, text = 10*n+int(text[0]-'0'), text[1:]
	}
	return n, text
}

// A peerStyle is how a peer is shown.
type peerStyle struct{ name, title, colour string }

// peers returns them in the order of columns, with colours that can be told apart by everybody
// (Okabe and Ito's).
func peers() []peerStyle {
	return []peerStyle{
		{ours, "shsession", "#0072b2"},
		{"floor", "floor", "#888888"},
		{"x-oauth2", "x/oauth2", "#e69f00"},
		{"cloud-auth", "cloud/auth", "#009e73"},
		{"aws-sdk", "aws-sdk-go-v2", "#d55e00"},
		{"python-S", "python -S", "#56b4e9"},
		{"python", "Python sentinelhub", "#cc79a7"},
		{"nginx", "nginx", "#f0e442"},
		{"direct", "direct", "#000000"},
	}
}
