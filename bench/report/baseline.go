package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A baseline is what an earlier run has measured on one machine. A file has one for each kind of
// machine: what two programs take differs from one to another, and so does the ratio.
type baseline struct {
	Date     string
	Machine  string
	Rounds   int
	Measured []record
}

// A record is our measurement of some work divided by a peer's or, if it has no peer, the
// measurement itself.
type record struct {
	Work, Unit string
	Peer       string `json:",omitempty"`
	estimate
}

// tolerance is how far a ratio may be above its median in the baseline at most, however wide the
// baseline's interval: otherwise, what varied much then could become anything.
const tolerance = 1.25

// tolerances are of the units that are compared as they are, since no machine makes them faster
// or slower: by what factor they may grow. Nothing, such as the allocations of a fresh
// Token, stays nothing.
func tolerances() map[string]float64 {
	const count, bytes = 1.02, 1.1
	return map[string]float64{
		"allocs/op": count, "goroutines": count, "requests/op": count, "stalled/op": count,
		"heap-B": bytes, "heap-B/follower": bytes, "resident-B": bytes,
	}
}

// limit is what a new measurement mustn't exceed with its whole interval.
func (r record) limit() float64 {
	if r.Peer == "" {
		return max(r.High, r.Median*tolerances()[r.Unit])
	}
	return min(r.High, r.Median*tolerance)
}

// name is as in the report's output.
func (r record) name() string {
	first, rest, _ := strings.Cut(r.Work, "/")
	parts := slices.Concat([]string{first}, partTitles(rest), []string{unitName(r.Unit)})
	if r.Peer != "" {
		parts = append(parts, "beside "+peerNamed(r.Peer).title)
	}
	return strings.Join(parts, ", ")
}

func (r record) format(e estimate) string {
	if r.Peer == "" {
		return formatEstimate(e, r.Unit)
	}
	return formatRatio(e)
}

// measure measures r anew.
func (r record) measure(m *measurements) (estimate, bool) {
	us := key{r.Work, ours, r.Unit}
	if r.Peer == "" {
		return m.value(us)
	}
	return m.ratio(us, key{r.Work, r.Peer, r.Unit})
}

// missing reports whether m lacks what r needs, for no reason that was given.
func (r record) missing(m *measurements) bool {
	for _, peer := range []string{ours, r.Peer} {
		if peer != "" && m.values[key{r.Work, peer, r.Unit}] == nil && !m.hasSkipped(r.Work, peer) {
			return true
		}
	}
	return false
}

// records returns everything that is compared: each row of each table, against each peer, and what
// is compared as it is.
func records(m *measurements) []record {
	var all []record
	add := func(r record) {
		if e, ok := r.measure(m); ok && e.bounded() {
			r.estimate = e
			all = append(all, r)
		}
	}
	for _, s := range subjects() {
		for _, r := range s.rows(m) {
			for _, p := range peers()[1:] {
				add(record{Work: r.work, Unit: r.unit, Peer: p.name})
			}
		}
	}
	for _, work := range m.works {
		for unit := range tolerances() {
			add(record{Work: work, Unit: unit})
		}
	}
	slices.SortStableFunc(all, func(a, b record) int { return naturally(a.Work, b.Work) })
	return all
}

// kindOfMachine names the kind of this machine. Virtual ones often say no more than the
// processor's maker, so that the number of its model is needed.
func kindOfMachine(m *measurements) string {
	info, _ := os.ReadFile("/proc/cpuinfo") // an error means that this system has no such file
	if model := regexp.MustCompile(`(?m)^model\s*: (\d+)$`).FindSubmatch(info); model != nil {
		return fmt.Sprintf("%s, model %s", m.cpu, model[1])
	}
	return m.cpu
}

// writeBaseline replaces the baseline of this kind of machine. The others lose what isn't measured any more.
func writeBaseline(path string, m *measurements) error {
	b := baseline{m.start.UTC().Format(time.DateOnly), kindOfMachine(m), m.rounds, records(m)}
	if len(b.Measured) == 0 {
		return fmt.Errorf("%d rounds give no intervals, so %s is left as it was", m.rounds, path)
	}
	all, err := readBaselines(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	all = slices.DeleteFunc(all, func(other baseline) bool { return other.Machine == b.Machine })
	for i := range all {
		all[i].Measured = slices.DeleteFunc(all[i].Measured, func(r record) bool { return r.missing(m) })
	}
	data, err := json.MarshalIndent(append(all, b), "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

func readBaselines(path string) (all []baseline, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("there is nothing to compare with: %w", err)
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// merged returns what a pattern matches of some baselines, each record once: of several machines'
// that with the highest limit.
func merged(all []baseline, pattern string) (records []record) {
	for _, b := range all {
		for _, r := range b.Measured {
			i := slices.IndexFunc(records, func(other record) bool {
				return other.Work == r.Work && other.Unit == r.Unit && other.Peer == r.Peer
			})
			switch {
			case !matches(pattern, benchmarkPrefix+r.Work):
			case i < 0:
				records = append(records, r)
			case r.limit() > records[i].limit():
				records[i] = r
			}
		}
	}
	return records
}

// check measures anew and fails if something is worse than in the baseline, twice: of some
// hundred measurements, one or two look worse by chance. It also fails if something
// isn't measured any more, unless a reason is given.
func check(measure func(pattern string) (*measurements, error), o options) error {
	all, err := readBaselines(o.baseline)
	if err != nil {
		return err
	}
	before := merged(all, o.bench)
	if len(before) == 0 {
		return fmt.Errorf("%s has nothing that %q matches", o.baseline, o.bench)
	}
	m, err := measure(o.bench)
	if err != nil {
		return err
	}
	kind := kindOfMachine(m)
	if !slices.ContainsFunc(all, func(b baseline) bool { return b.Machine == kind }) {
		fmt.Printf("the baseline has no machine of this kind (%s), so a ratio may differ for that\n", kind)
	}
	for _, reason := range m.skippedReasons() {
		fmt.Println("left out:", reason)
	}
	lost := reportLost(before, m)
	worse, vague := regressions(before, m)
	if vague > 0 {
		fmt.Printf("%d ratios vary so much that they may be a quarter worse unnoticed: more rounds would tell\n", vague)
	}
	if len(worse) > 0 {
		fmt.Printf("%d measurements look worse and are taken once more\n", len(worse))
		if m, err = measure(patternOf(worse)); err != nil {
			return err
		}
		lost = errors.Join(lost, reportLost(worse, m))
		worse, _ = regressions(worse, m)
	}
	if len(worse) > 0 {
		return errors.Join(errors.New("something is worse than in the baseline"), lost)
	}
	if lost == nil {
		fmt.Printf("none of %d measurements is worse than in the baseline\n", len(before))
	}
	return lost
}

// reportLost prints what isn't measured any more and returns an error if there is any.
func reportLost(before []record, m *measurements) error {
	var lost error
	for _, r := range before {
		if r.missing(m) {
			fmt.Println("not measured any more:", r.name())
			lost = errors.New("something isn't measured any more")
		}
	}
	return lost
}

// regressions prints what is beyond its limit with its whole interval, and returns those of
// before. vague counts the ratios whose intervals reach a quarter below.
func regressions(before []record, m *measurements) (worse []record, vague int) {
	for _, r := range before {
		now, ok := r.measure(m)
		if !ok {
			continue // it is lost, or left out, or its peer takes nothing now
		}
		if r.Peer != "" && now.Low*tolerance < now.Median {
			vague++
		}
		if now.Low > r.limit() {
			fmt.Printf("%s: %s, was %s\n", r.name(), r.format(now), r.format(r.estimate))
			worse = append(worse, r)
		}
	}
	return worse, vague
}

// patternOf matches the benchmarks of some records.
func patternOf(records []record) string {
	var names []string
	for _, r := range records {
		first, _, _ := strings.Cut(r.Work, "/")
		if name := regexp.QuoteMeta(first); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return "^" + benchmarkPrefix + "(" + strings.Join(names, "|") + ")$"
}
