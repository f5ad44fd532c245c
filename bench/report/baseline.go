package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A baseline is the ratios of an earlier run.
type baseline struct {
	Date   string
	CPU    string
	Rounds int
	Ratios []baselineRatio
}

// A baselineRatio is our measurement of some work divided by a peer's.
type baselineRatio struct {
	Work, Unit, Peer string
	estimate
}

// ratios returns everything that is compared: each row of each table, against each peer.
func ratios(m *measurements) []baselineRatio {
	var all []baselineRatio
	for _, s := range subjects() {
		for _, r := range s.rows(m) {
			for _, p := range peers() {
				e, ok := m.ratio(key{r.work, ours, r.unit}, key{r.work, p.name, r.unit})
				if p.name != ours && ok && e.bounded() {
					all = append(all, baselineRatio{r.work, r.unit, p.name, e})
				}
			}
		}
	}
	return all
}

func writeBaseline(path string, m *measurements) error {
	b := baseline{m.start.UTC().Format(time.DateOnly), m.cpu, m.rounds, ratios(m)}
	if len(b.Ratios) == 0 {
		return fmt.Errorf("%d rounds give no intervals, so %s is left as it was", m.rounds, path)
	}
	data, err := json.MarshalIndent(b, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// check measures anew and fails if a ratio is worse than the baseline's, beyond both their
// intervals, twice: of some hundred ratios, one or two look worse by chance.
func check(ctx context.Context, r *runner, o options) error {
	data, err := os.ReadFile(o.baseline)
	if err != nil {
		return fmt.Errorf("there is nothing to compare with: %w", err)
	}
	var before baseline
	if err := json.Unmarshal(data, &before); err != nil {
		return fmt.Errorf("%s: %w", o.baseline, err)
	}
	m, err := r.measure(ctx, o.bench, o.rounds)
	if err != nil {
		return err
	}
	if m.cpu != before.CPU {
		fmt.Printf("the baseline is of another processor (%s), so a ratio may differ for that\n", before.CPU)
	}
	now := ratios(m)
	if missing := len(before.Ratios) - len(now); missing > 0 {
		fmt.Printf("%d ratios of the baseline were not measured\n", missing)
	}
	for _, reason := range m.skipped {
		fmt.Println("left out:", reason)
	}
	worse := regressions(before.Ratios, now)
	if len(worse) > 0 {
		fmt.Printf("%d ratios look worse and are measured once more\n", len(worse))
		if m, err = r.measure(ctx, patternOf(worse), o.rounds); err != nil {
			return err
		}
		worse = regressions(worse, ratios(m))
	}
	if len(worse) == 0 {
		fmt.Println("no ratio is worse than in the baseline")
		return nil
	}
	return errors.New("slower than in the baseline, by these ratios")
}

// regressions prints the ratios whose interval is above that of before, and returns those of before.
func regressions(before, now []baselineRatio) []baselineRatio {
	var worse []baselineRatio
	for _, b := range before {
		i := slices.IndexFunc(now, func(n baselineRatio) bool {
			return n.Work == b.Work && n.Unit == b.Unit && n.Peer == b.Peer
		})
		if i >= 0 && now[i].Low > b.High {
			fmt.Printf("%s, %s / %s: %s, was %s\n", b.Work, unitName(b.Unit), b.Peer, formatRatio(now[i].estimate), formatRatio(b.estimate))
			worse = append(worse, b)
		}
	}
	return worse
}

// patternOf matches the benchmarks of some ratios.
func patternOf(ratios []baselineRatio) string {
	var names []string
	for _, r := range ratios {
		first, _, _ := strings.Cut(r.Work, "/")
		if name := regexp.QuoteMeta(first); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return "^Benchmark(" + strings.Join(names, "|") + ")$"
}
