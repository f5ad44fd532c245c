// Command report runs the benchmarks of the directory above it in rounds and writes what
// they say to docs/speed.md, with plots beside it. With -check it compares the ratios
// with those that were written last, and fails if one has become worse.
//
// A round runs every benchmark once, in random order, and the peers of each next to one
// another, in random order too. A ratio is taken within a round, between two measurements that
// are moments apart; what is reported is the median of the rounds' ratios and the interval in
// which it lies with 95 % confidence, whatever the distribution.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.IntVar(&o.rounds, "rounds", 20, "how often each benchmark runs; fewer than 6 give no intervals")
	flag.StringVar(&o.benchtime, "benchtime", "50ms", "how long a benchmark runs each time, as for go test")
	flag.StringVar(&o.bench, "bench", ".", "which benchmarks run, as for go test; docs/speed.md is written only with all")
	flag.StringVar(&o.docs, "docs", filepath.Join("..", "docs"), "the directory of speed.md and its plots")
	flag.StringVar(&o.baseline, "baseline", "baseline.json", "the file of the ratios to compare with")
	flag.BoolVar(&o.check, "check", false, "compare the ratios with the baseline's and write nothing")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds                           int
	benchtime, bench, docs, baseline string
	check                            bool
}

func run(ctx context.Context, o options) error {
	r, err := newRunner(o.benchtime)
	if err != nil {
		return err
	}
	defer r.close()
	if o.check {
		return check(ctx, r, o)
	}
	m, err := r.measure(ctx, o.bench, o.rounds)
	if err != nil {
		return err
	}
	if o.bench != "." {
		fmt.Println(tables(m))
		return nil
	}
	return errors.Join(writeDocs(o.docs, m), writeBaseline(o.baseline, m))
}
