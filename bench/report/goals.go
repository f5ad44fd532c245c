package main

import (
	"fmt"
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

// flat is how much more something may cost as the work grows and still be called flat: what
// processor caches and a busy machine make of it.
const flat = 1.25

func goals(m *measurements) []goal {
	freshFloor := goal{text: "A fresh Token takes at most 1.15 times its floor, at every parallelism"}
	freshPeers := goal{text: "… and less than every peer's"}
	noGarbage := goal{text: "… and allocates nothing"}
	for _, work := range m.worksOf("Fresh") {
		us := key{work, ours, seconds}
		freshFloor.claims = append(freshFloor.claims, claim{us, key{work, "floor", seconds}, 1.15})
		noGarbage.claims = append(noGarbage.claims, claim{over: key{work, ours, "allocs/op"}})
		for _, p := range peers()[2:] {
			freshPeers.claims = append(freshPeers.claims, claim{us, key{work, p.name, seconds}, 1})
		}
	}
	collect := func(store, peer string, limit float64) claim {
		work := "Collect/store=" + store
		return claim{key{work, ours, seconds}, key{work, peer, seconds}, limit}
	}
	token := func(peer string, limit float64) claim {
		return claim{key{"Command/do=token", ours, seconds}, key{"Command/do=token", peer, seconds}, limit}
	}
	return append([]goal{freshFloor, freshPeers, noGarbage,
		{"Across a renewal, p99 of Token is under 1 ms", []claim{{over: key{"Renewal", ours, "p99-sec"}, limit: 1e-3}}},
		{"… and only the caller who renews waits", []claim{{over: key{"Renewal", ours, "stalled/op"}, limit: 1}}},
		{"A crowd at expiry makes one request", []claim{{over: key{"Expiry", ours, "requests/op"}, limit: 1}}},
		{"Collect takes at most 2.5 times its floor, with a Store that has read this token", []claim{collect("known", "floor", 2.5)}},
		{"… and with a new Store", []claim{collect("new", "floor", 2.5)}},
		{"Collect takes at most a quarter of Python's time", []claim{collect("known", "python", 0.25), collect("new", "python", 0.25)}},
		{"The command's cached `token` takes at most 3 times the start of a static Go program", []claim{token("floor", 3)}},
		{"… and less than `python3 -S -c pass`", []claim{token("python-S", 1)}},
		proxyGoal(m),
	}, growthGoals()...)
}

func proxyGoal(m *measurements) goal {
	g := goal{text: "The proxy takes at most 1.2 times as long as a bare httputil.ReverseProxy"}
	for _, work := range m.worksOf("Proxy") {
		g.claims = append(g.claims, claim{key{work, ours, seconds}, key{work, "floor", seconds}, 1.2})
	}
	return g
}

// growthGoals compare the ends of what grows.
func growthGoals() []goal {
	sized := func(work string, limit float64) goal {
		return goal{claims: []claim{{
			key{"TokenSize/work=" + work + "/KB=64", ours, seconds}, key{"TokenSize/work=" + work + "/KB=1", ours, seconds}, limit,
		}}}
	}
	freshToken, collect, publish := sized("Token", flat), sized("Collect", 64), sized("Publish", 64)
	freshToken.text = "A fresh Token costs the same with 64 KB as with 1 KB"
	collect.text = "Collect and Publish cost at most 64 times as much for it"
	collect.claims = append(collect.claims, publish.claims...)
	return []goal{freshToken, collect,
		{"A reader's Load costs the same beside 63 other processes as alone", []claim{{
			key{"Readers/readers=64", ours, "cpu-sec/read"}, key{"Readers/readers=1", ours, "cpu-sec/read"}, flat}}},
		{"A follower's first token costs the same for 10,000 as for 1", []claim{{
			key{"Followers/followers=10000", ours, "sec/follower"}, key{"Followers/followers=1", ours, "sec/follower"}, flat}}},
	}
}

// goalTable says of each goal whether it is met.
func goalTable(m *measurements) string {
	var out strings.Builder
	out.WriteString("| goal | limit | measured | |\n|---|---|---|---|\n")
	for _, g := range goals(m) {
		limit, worst, verdict := judge(m, g)
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", g.text, limit, worst, verdict)
	}
	return out.String()
}

// judge returns a goal's limit, the measurement that comes closest to it or exceeds it most, and
// the verdict.
func judge(m *measurements, g goal) (limit, worst, verdict string) {
	verdict, worst = "not measured", "–"
	limit = "–"
	var margin float64
	for _, c := range g.claims {
		e, ok := m.claimed(c)
		if !ok {
			continue
		}
		here := e.Median - c.limit
		if c.limit > 0 {
			here = e.Median / c.limit
		}
		if verdict == "not measured" || here > margin {
			margin = here
			limit, worst = c.describe(e)
			verdict = c.verdict(e)
		}
	}
	return limit, worst, verdict
}

func (m *measurements) claimed(c claim) (estimate, bool) {
	if c.under.work == "" {
		return m.value(c.over)
	}
	return m.ratio(c.over, c.under)
}

// verdict is whether the claim holds, with its whole interval or beyond it.
func (c claim) verdict(e estimate) string {
	switch {
	case e.High <= c.limit:
		return "met"
	case e.Low > c.limit:
		return "**missed**"
	case e.Median <= c.limit:
		return "met, though the interval goes beyond"
	}
	return "**missed**, though the interval reaches it"
}

func (c claim) describe(e estimate) (limit, measured string) {
	_, where, _ := strings.Cut(c.over.work, "/")
	if where != "" {
		where = " (" + strings.ReplaceAll(where, "=", " ") + ")"
	}
	if c.under.work == "" {
		return formatValue(c.limit, c.over.unit), formatValue(e.Median, c.over.unit) + where
	}
	if c.under.work == c.over.work {
		where = strings.TrimSuffix(where, ")") + ", / " + c.under.peer + ")"
	}
	return digits(c.limit), formatRatio(e) + where
}
