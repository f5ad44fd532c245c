// Command report runs the benchmarks of the directory above it in rounds and writes what
// they say to docs/speed.md, with plots beside it. With -check it compares them with those
// that were written last, and fails if something has become worse.
//
// A round runs every benchmark once, in random order, the works of each in random order, and the
// peers of each work next to one another, in random order too. A ratio is taken within a round,
// between two measurements that are moments apart; what is reported is the median of the
// rounds' ratios and the interval in which it lies with 95 % confidence, whatever the distribution.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.IntVar(&o.rounds, "rounds", 20, "how often each benchmark runs; fewer than 6 give no intervals")
	flag.StringVar(&o.benchtime, "benchtime", "50ms", "how long a benchmark runs each time, as for go test")
	flag.DurationVar(&o.idle, "idle", 125*time.Second, "how long idle programs are watched, once: they wake every minute")
	flag.StringVar(&o.bench, "bench", ".", "which benchmarks run, as for go test; docs/speed.md is written only with all")
	flag.StringVar(&o.docs, "docs", filepath.Join("..", "docs"), "the directory of speed.md and its plots")
	flag.StringVar(&o.baseline, "baseline", "baseline.json", "the file of what was measured last, to compare with")
	flag.BoolVar(&o.check, "check", false, "compare with the baseline and write nothing")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds                           int
	benchtime, bench, docs, baseline string
	idle                             time.Duration
	check                            bool
}

func run(ctx context.Context, o options) error {
	if o.check {
		if o.rounds < leastRounds {
			return fmt.Errorf("%d rounds give no intervals to compare: it takes %d", o.rounds, leastRounds)
		}
		o.idle = 0 // one measurement has no interval either
	}
	r, err := newRunner(o.benchtime, o.idle)
	if err != nil {
		return err
	}
	defer r.close()
	measure := func(pattern string) (*measurements, error) { return r.measure(ctx, pattern, o.rounds) }
	if o.check {
		return check(measure, o)
	}
	m, err := measure(o.bench)
	if err != nil {
		return err
	}
	if o.bench != "." {
		fmt.Print(tables(m))
		return nil
	}
	written, err := writeDocs(o.docs, m)
	err = errors.Join(err, writeBaseline(o.baseline, m))
	fmt.Printf("%s\n%s", tables(m), goalTable(m))
	for _, path := range written {
		fmt.Println("written:", path)
	}
	return err
}
