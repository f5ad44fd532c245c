package main

import (
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg/draw"
)

// A subject is one table: some benchmarks, in some units.
type subject struct {
	title      string
	benchmarks []string // the first parts of their names
	units      []string
	note       string // below the title
	blanks     string // below the table, why some of its cells are empty
	inPlot     bool
}

const (
	// seconds is the unit of everything that takes time.
	seconds = "sec/op"
	// ofCore is the unit of what goes on all the time: processor time a second.
	ofCore = "cpu-sec/s"
)

func subjects() []subject {
	return []subject{
		{"A fresh token", []string{"Fresh", "FreshBy"}, []string{seconds},
			"Floor: an atomic load and a reading of the wall clock. With n goroutines, the time is what one call adds.",
			"Python's threads take turns, so its time with several would be the same; the other caches are made in one way only.", true},
		{"Across a renewal", []string{"Renewal"}, []string{"p50-sec", "p99-sec", "p99.9-sec", "stalled/op", "requests/op"},
			"64 callers ask every millisecond while the token is renewed at an endpoint that takes 50 ms. What counts is the calls that overlap the renewal; stalled are callers of whom a call took more than 10 ms.",
			"", false},
		{"At expiry", []string{"Expiry"}, []string{seconds, "requests/op"},
			"1,000 callers ask at once for a token that has expired, at an endpoint that takes 50 ms: the time to the last answer, and the requests made. Floor: one request.",
			"", true},
		{"Calls of a session", []string{"Headers", "Info", "Login", "Transport"}, []string{seconds},
			"Floors: a header made of a value at hand; base64 and encoding/json on one struct; one request on a connection that is open; a request with a header made before. A request goes to a server over loopback, or to none.",
			"x/oauth2 doesn't read claims, and the Python package sends requests with a library that is not its own.", true},
		{"Joining", []string{"Collect", "Joining"}, []string{seconds},
			"What a worker pays for the token that is in shared memory. Floor: to open, read and close the file. A Store knows the token if it has read it before; a new one is what a process begins with.",
			"", true},
		{"Stores", []string{"Store", "Redis"}, []string{seconds},
			"Floors: to write a file and rename it; to open, lock and close one; in Redis on the loopback interface, GET, SET, and SET NX with DEL on a bare connection.",
			"", true},
		{"A private directory", []string{"Directory"}, []string{seconds},
			"The store of a system without /dev/shm, on Linux, beside the one in /dev/shm. The first Load is by a new Store; the fresh Token is of a session by Join.",
			"", true},
		{"Sharing", []string{"ShareRenewal", "ShareIdle", "ShareChurn", "ShareCommand", "Idle"},
			[]string{"cpu-sec/renewal", "cpu-sec/file", ofCore, "heap-B", "goroutines", "resident-B"},
			"Floors: a renewal that nobody shares; what a foreign file costs whoever makes and removes it; a Go program that waits. Foreign files are others' in /dev/shm, of which the kernel tells whoever watches what is shared there.",
			"Python's sharer has no renewal of its own to measure, and is no part of another program; a Sharing alone, in memory, is beside nothing. What was watched for two minutes was measured once, so it has no intervals.", false},
		{"The command", []string{"Command"}, []string{seconds},
			"A process from its start to its end. Floor: a static Go program that says hello. python -S is `python3 -S -c pass`; Python sentinelhub imports the package and logs in each time, since it keeps no token.",
			"An interpreter that does nothing is no match for a login; the package has no `headers` or `version` for a shell.", true},
		{"The proxy", []string{"Proxy"}, []string{seconds},
			"Answers of 1 KB and of 16 MB through a proxy, a process of its own, with connections that are open, to one client or many. Floor: httputil.ReverseProxy with one header. nginx adds a fixed header.",
			"", true},
		{"The token endpoint", []string{"HandOut"}, []string{seconds},
			"A login at `shsession share --endpoint`, with a connection that is open. Floor: a handler that writes the same bytes.",
			"", true},
		{"A rate limit", []string{"Limit", "LimitTransport"}, []string{seconds},
			"A reservation that needn't wait, without contention: two limits and the slots are checked in one step. Floors: to open, lock, read, write and close a file; one GET in Redis, on a bare connection; a request without a Transport. x/time/rate and redis_rate know one limit, and no slots.",
			"x/time/rate is for one process, and redis_rate for Redis.", true},
		{"Growth with the token's size", []string{"TokenSize"}, []string{seconds},
			"Floors: as above. Collect is with a new Store.",
			"Python publishes from a thread that can't be asked to, and its `session.token` doesn't look at the token.", false},
		{"Growth with readers", []string{"Readers"}, []string{"cpu-sec/read"},
			"Processor time of one Load by processes that all read without pause. Floor: the same with open, read and close.", "", false},
		{"Growth with followers", []string{"Followers"}, []string{"sec/follower", "heap-B/follower"},
			"Sessions of one process, each made by Follow and asked for its first token. Floor: to open, read and close the file. Memory is measured from 100 on: less is lost in the process's own.",
			"The floor keeps nothing in memory.", false},
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
	parts = append(parts, partTitles(rest)...)
	if len(s.units) > 1 {
		parts = append(parts, unitName(unit))
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	if len(parts) == 0 {
		return benchmarkTitle(first)
	}
	return strings.Join(parts, ", ")
}

// partTitles says the parts of a benchmark's name after the first.
func partTitles(rest string) []string {
	if rest == "" {
		return nil
	}
	parts := strings.Split(rest, "/")
	for i, part := range parts {
		parts[i] = partTitle(part)
	}
	return parts
}

// partTitle says one part of a benchmark's name: a number of something, or a kind.
func partTitle(part string) string {
	switch part {
	case "store=known":
		return "Store that knows the token"
	case "store=new":
		return "new Store"
	case "server=none":
		return "no server"
	case "server=loopback":
		return "over loopback"
	case "limiter=none":
		return "without a limiter"
	case "limiter=in_memory":
		return "with a limiter in memory"
	case "do=Load":
		return "first Load"
	case "do=Token":
		return "fresh Token"
	case "do=token":
		return "token, cached"
	case "do=login":
		return "token --no-cache"
	}
	name, value, ok := strings.Cut(part, "=")
	if !ok {
		return part
	}
	if name == "constructor" {
		return "session by " + value
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
	case "Fresh", "FreshBy":
		return ""
	case "HandOut":
		return "a login"
	case "Limit":
		return "reservation"
	case "LimitTransport":
		return "Transport"
	case "Joining":
		return "first Token"
	case "Expiry":
		return "1,000 callers"
	case "Store":
		return "shared memory"
	case "ShareRenewal":
		return "renewal"
	case "ShareIdle":
		return "a Sharing"
	case "ShareChurn":
		return "a foreign file"
	case "ShareCommand":
		return "share, started"
	case "Idle":
		return "share, watched for two minutes"
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
	case "cpu-sec/renewal", "cpu-sec/read", "cpu-sec/file":
		return "processor time"
	case ofCore:
		return "part of a core"
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
type peerStyle struct {
	name, title string
	colour      color.RGBA
	shape       draw.GlyphDrawer
}

// peers returns them in the order of columns, ours first. Their colours can be told apart by everybody (after
// Okabe and Ito), on white and on black, and where some are in one row so can their shapes.
func peers() []peerStyle {
	return []peerStyle{
		{ours, "shsession", color.RGBA{0x2f, 0x86, 0xd6, 0xff}, draw.CircleGlyph{}},
		{"floor", "floor", color.RGBA{0x8a, 0x8f, 0x98, 0xff}, draw.BoxGlyph{}},
		{"x-oauth2", "x/oauth2", color.RGBA{0xe6, 0x9f, 0x00, 0xff}, draw.CircleGlyph{}},
		{"cloud-auth", "cloud/auth", color.RGBA{0x00, 0xa8, 0x7a, 0xff}, draw.SquareGlyph{}},
		{"aws-sdk", "aws-sdk-go-v2", color.RGBA{0xe0, 0x60, 0x1a, 0xff}, draw.PyramidGlyph{}},
		{"python-S", "python -S", color.RGBA{0x56, 0xb4, 0xe9, 0xff}, draw.PyramidGlyph{}},
		{"python", "Python sentinelhub", color.RGBA{0xcc, 0x79, 0xa7, 0xff}, draw.TriangleGlyph{}},
		{"nginx", "nginx", color.RGBA{0xb5, 0xa3, 0x00, 0xff}, draw.CircleGlyph{}},
		{"x-rate", "x/time/rate", color.RGBA{0xf0, 0x72, 0x8f, 0xff}, draw.SquareGlyph{}},
		{"redis_rate", "redis_rate", color.RGBA{0x8c, 0x56, 0x4b, 0xff}, draw.PyramidGlyph{}},
		{"dev-shm", "/dev/shm", color.RGBA{0x4d, 0xa3, 0xa3, 0xff}, draw.CrossGlyph{}},
		{"direct", "no proxy", color.RGBA{0x9a, 0x7b, 0xd0, 0xff}, draw.RingGlyph{}},
	}
}

// peerNamed returns one of the peers, or one that has nothing but a name.
func peerNamed(name string) peerStyle {
	for _, p := range peers() {
		if p.name == name {
			return p
		}
	}
	return peerStyle{name: name, title: name, shape: draw.CircleGlyph{}}
}
