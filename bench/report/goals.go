package main

import (
	"fmt"
	"slices"
	"strings"
)

// A goal is some claims that are all to hold.
type goal struct {
	text   string
	claims []claim
}

// A claim is that one measurement is at most limit, or at most limit times another.
type claim struct {
	over  key
	under key // its zero value if limit isn't a ratio
	limit float64
}

// beside claims that our time for some work is at most limit times a peer's.
func beside(work, peer string, limit float64) claim {
	return claim{key{work, ours, seconds}, key{work, peer, seconds}, limit}
}

// atMost claims that what we measure is.
func atMost(work, unit string, limit float64) claim {
	return claim{over: key{work, ours, unit}, limit: limit}
}

// grown claims that our cost of one work is at most limit times that of another.
func grown(work, from, unit string, limit float64) claim {
	return claim{key{work, ours, unit}, key{from, ours, unit}, limit}
}

// flat is how much more something may cost as the work grows and still be called flat: what
// processor caches and a busy machine make of it.
const flat = 1.25

func goals() []goal {
	return slices.Concat(freshGoals(), []goal{
		{"Across a renewal, p99 of Token is under 1 ms", []claim{atMost("Renewal", "p99-sec", 1e-3)}},
		{"… and only the caller who renews waits", []claim{atMost("Renewal", "stalled/op", 1)}},
		{"A crowd at expiry makes one request", []claim{atMost("Expiry", "requests/op", 1)}},
		{"Collect takes at most a tenth of Python's time for a token of 1 KB, as the services issue them, with a Store that has read this token", []claim{
			beside("Collect/store=known", "python", 0.1)}},
		{"… and with a new Store", []claim{beside("Collect/store=new", "python", 0.1)}},
		{"On Linux, a first Load from a private directory takes at most 3 times as long as one from /dev/shm", []claim{beside("Directory/do=Load", "dev-shm", 3)}},
		{"… and a fresh Token of its Join costs the same, give or take 15 %", []claim{beside("Directory/do=Token", "dev-shm", 1.15)}},
		{"An idle `share` takes less than 0.1 % of a core", []claim{atMost("Idle", ofCore, 1e-3)}},
		{"… and less than 20 MB of memory", []claim{atMost("Idle", "resident-B", 20e6), atMost("ShareCommand", "resident-B", 20e6)}},
		{"The command's cached `token` takes at most 3 times the start of a static Go program", []claim{beside("Command/do=token", "floor", 3)}},
		{"… and less than `python3 -S -c pass`", []claim{beside("Command/do=token", "python-S", 1)}},
		{"The proxy takes at most 1.2 times as long as a bare httputil.ReverseProxy", []claim{
			beside("Proxy/KB=1", "floor", 1.2), beside("Proxy/KB=1/clients=16", "floor", 1.2), beside("Proxy/MB=16", "floor", 1.2)}},
		{"The token endpoint takes at most 1.5 times as long as a handler that writes the same bytes", []claim{beside("HandOut", "floor", 1.5)}},
		{"A reservation takes at most 4 times a bare open-lock-read-write-close of a file", []claim{beside("Limit/state=file", "floor", 4)}},
		{"A ratelimit.Transport without a limiter costs nothing, give or take 15 %", []claim{beside("LimitTransport/limiter=none", "floor", 1.15)}},
	}, growthGoals())
}

// freshGoals are of a token that needs no renewal.
func freshGoals() []goal {
	const alone, one = "Fresh/alone", "Fresh/goroutines=1"
	parallel := []string{"Fresh/goroutines=2", "Fresh/goroutines=8", "Fresh/goroutines=64"}
	constructors := []string{"FreshBy/constructor=New", "FreshBy/constructor=Follow", "FreshBy/constructor=Join"}
	freshFloor := goal{text: "A fresh Token takes at most 1.15 times its floor, at every parallelism"}
	freshPeers := goal{"… and less than every peer's", []claim{beside(alone, "python", 1)}}
	noGarbage := goal{text: "… and allocates nothing"}
	oauth2 := goal{text: "… and at most 0.4 times in parallel"}
	for _, work := range slices.Concat([]string{alone, one}, parallel) {
		freshFloor.claims = append(freshFloor.claims, beside(work, "floor", 1.15))
		noGarbage.claims = append(noGarbage.claims, atMost(work, "allocs/op", 0))
		for _, p := range []string{"x-oauth2", "cloud-auth", "aws-sdk"} {
			freshPeers.claims = append(freshPeers.claims, beside(work, p, 1))
		}
	}
	for _, work := range parallel {
		oauth2.claims = append(oauth2.claims, beside(work, "x-oauth2", 0.4))
	}
	for _, work := range append(constructors, "Directory/do=Token") {
		noGarbage.claims = append(noGarbage.claims, atMost(work, "allocs/op", 0))
	}
	return []goal{freshFloor, freshPeers, noGarbage,
		{"A fresh Token takes at most 0.75 times as long as x/oauth2's ReuseTokenSource, alone", []claim{beside(alone, "x-oauth2", 0.75)}},
		oauth2,
		{"A fresh Token of Follow and of Join costs what New's costs, give or take 15 %", []claim{
			grown(constructors[1], constructors[0], seconds, 1.15), grown(constructors[2], constructors[0], seconds, 1.15)}},
	}
}

// growthGoals compare the ends of what grows.
func growthGoals() []goal {
	sized := func(work string, limit float64) claim {
		return grown("TokenSize/work="+work+"/KB=64", "TokenSize/work="+work+"/KB=1", seconds, limit)
	}
	return []goal{
		{"A fresh Token costs the same with 64 KB as with 1 KB", []claim{sized("Token", flat)}},
		{"Collect and Publish cost at most 64 times as much for it", []claim{sized("Collect", 64), sized("Publish", 64)}},
		{"A reader's Load costs the same beside 63 other processes as alone", []claim{
			grown("Readers/readers=64", "Readers/readers=1", "cpu-sec/read", flat)}},
		{"A follower's first token costs the same for 10,000 as for 1", []claim{
			grown("Followers/followers=10000", "Followers/followers=1", "sec/follower", flat)}},
	}
}

// goalTable says of each goal whether it is met.
func goalTable(m *measurements) string {
	var out strings.Builder
	out.WriteString("| goal | limit | measured, where it is nearest to the limit or farthest beyond | |\n|---|---|---|---|\n")
	for _, g := range goals() {
		j := judge(m, g)
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", g.text, j.limit, j.measured, j.verdict())
	}
	return out.String()
}

// A finding is how a measurement stands to its limit, the better the lower.
type finding int

const (
	met finding = iota
	metOnce
	metBarely
	missedBarely
	missed
)

func (f finding) String() string {
	return [...]string{"met", "met, without an interval", "met, though the interval goes beyond",
		"**missed**, though the interval reaches it", "**missed**"}[f]
}

// A judgement of a goal is that of the claim that stands worst.
type judgement struct {
	limit, measured string // "—" if nothing is measured
	finding         finding
	absent          []string // what isn't measured, in words
}

// verdict says the finding, and that it's not of everything.
func (j judgement) verdict() string {
	are := " is missing"
	if len(j.absent) > 1 {
		are = " are missing"
	}
	absent := strings.Join(j.absent, ", ") + are
	switch {
	case j.measured == none:
		return "not measured"
	case len(j.absent) == 0:
		return j.finding.String()
	case j.finding == met:
		return "met, where measured: " + absent
	}
	return j.finding.String() + "; " + absent
}

// judge finds the claim that stands worst, and of those that stand alike the one that comes closest to its
// limit or exceeds it most.
func judge(m *measurements, g goal) judgement {
	j := judgement{limit: none, measured: none}
	var margin float64
	for _, c := range g.claims {
		e, ok := m.claimed(c)
		if !ok {
			if name := c.absent(m); !slices.Contains(j.absent, name) {
				j.absent = append(j.absent, name)
			}
			continue
		}
		here := e.Median - c.limit
		if c.limit > 0 {
			here = e.Median / c.limit
		}
		if f := c.find(e); j.measured == none || f > j.finding || f == j.finding && here > margin {
			margin, j.finding = here, f
			j.limit, j.measured = c.describe(e)
		}
	}
	return j
}

func (m *measurements) claimed(c claim) (estimate, bool) {
	if c.under.work == "" {
		return m.value(c.over)
	}
	return m.ratio(c.over, c.under)
}

// find says whether the claim holds, with its whole interval or beyond it.
func (c claim) find(e estimate) finding {
	switch {
	case e.High <= c.limit:
		return met
	case e.Low > c.limit:
		return missed
	case !e.bounded() && e.Median <= c.limit:
		return metOnce
	case !e.bounded():
		return missed
	case e.Median <= c.limit:
		return metBarely
	}
	return missedBarely
}

// where says the work of a claim, without the benchmark that its goal's text names.
func (c claim) where() string {
	_, rest, _ := strings.Cut(c.over.work, "/")
	return strings.Join(partTitles(rest), ", ")
}

// absent names what a claim lacks: the peer, if it's only that.
func (c claim) absent(m *measurements) string {
	if m.values[c.over] != nil && c.under.peer != ours && c.under.peer != "" {
		return peerNamed(c.under.peer).title
	}
	if where := c.where(); where != "" {
		return where
	}
	return c.over.work
}

func (c claim) describe(e estimate) (limit, measured string) {
	measured = formatRatio(e)
	limit = digits(c.limit)
	if c.under.work == "" {
		limit, measured = formatValue(c.limit, c.over.unit), formatEstimate(e, c.over.unit)
	}
	if where := c.where(); where != "" {
		measured += ": " + where
	}
	return limit, measured
}
