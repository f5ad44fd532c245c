package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A result is what came of a plan.
type result struct {
	plan      plan
	history   *history
	followers []*follower
	logins    int
	took      time.Duration
	redis     map[string]string // what it says of itself at the end
}

// window is the part of a token's life in which it is due for renewal.
func (r *result) window() time.Duration { return r.plan.life / 2 }

// delays returns how long after its publication each follower had each token, in order.
func (r *result) delays() []time.Duration {
	var all []time.Duration
	for _, f := range r.followers {
		all = append(all, f.delays...)
	}
	slices.Sort(all)
	return all
}

// quantile returns the q-th part of what is in order.
func quantile(ordered []time.Duration, q float64) time.Duration {
	if len(ordered) == 0 {
		return 0
	}
	return ordered[min(len(ordered)-1, int(q*float64(len(ordered))))]
}

// reads returns how often all followers read Redis, and the one that did most.
func (r *result) reads() (all, most int) {
	for _, f := range r.followers {
		n := int(f.reads.Load())
		all, most = all+n, max(most, n)
	}
	return all, most
}

// busiest returns the most reads in a slice of time, after the start.
func (r *result) busiest() int {
	most := 0
	for i := int((ramp + slice) / slice); i < len(r.history.reads); i++ {
		most = max(most, int(r.history.reads[i].Load()))
	}
	return most
}

// failures returns how many calls of Token gave an error or an expired token, and the first error.
func (r *result) failures() (errs, late int, first error) {
	for _, f := range r.followers {
		errs, late = errs+len(f.errs), late+f.late
		if first == nil && len(f.errs) > 0 {
			first = f.errs[0]
		}
	}
	return errs, late, first
}

// table returns the figures as a table in Markdown.
func (r *result) table() string {
	all, most := r.reads()
	errs, late, _ := r.failures()
	delays := r.delays()
	lives := float64(r.plan.lives)
	rows := [][2]string{
		{"followers", fmt.Sprint(len(r.followers))},
		{"token lives", fmt.Sprintf("%d of %v, each renewed after half of it", r.plan.lives, r.plan.life)},
		{"duration", r.took.Round(time.Second).String()},
		{"logins", fmt.Sprint(r.logins)},
		{"commands a follower a life, on average", fmt.Sprintf("%.3f", 2*float64(all)/float64(len(r.followers))/lives)},
		{"commands a life of the follower with the most", fmt.Sprintf("%.3f", 2*float64(most)/lives)},
		{"reads in the busiest 100 ms", fmt.Sprintf("%d, %.0f %% of the followers", r.busiest(), 100*r.spread())},
		{"pick-up after publication: median", quantile(delays, 0.5).Round(time.Millisecond).String()},
		{"p99", quantile(delays, 0.99).Round(time.Millisecond).String()},
		{"longest", quantile(delays, 1).Round(time.Millisecond).String()},
		{"the old token's end after publication", r.window().String()},
		{"calls that failed", fmt.Sprint(errs)},
		{"calls that returned an expired token", fmt.Sprint(late)},
		{"Redis's connections", r.redis["connected_clients"]},
		{"its memory for them", r.redis["mem_clients_normal"] + " bytes"},
		{"GET and PTTL that it counted", fmt.Sprint(calls(r.redis, "get") + calls(r.redis, "pttl"))},
		{"its processor time, user and system", r.redis["used_cpu_user"] + " s and " + r.redis["used_cpu_sys"] + " s"},
	}
	var b strings.Builder
	fmt.Fprintln(&b, "| what | figure |\n|---|---|")
	for _, row := range rows {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return b.String()
}

// spread is the part of the followers that read in the busiest slice.
func (r *result) spread() float64 { return float64(r.busiest()) / float64(len(r.followers)) }

// check returns which promises weren't kept.
func (r *result) check() error {
	var broken []error
	promise := func(kept bool, format string, args ...any) {
		if !kept {
			broken = append(broken, fmt.Errorf(format, args...))
		}
	}
	_, most := r.reads()
	errs, late, first := r.failures()
	p99 := quantile(r.delays(), 0.99)
	promise(r.logins == r.plan.lives, "%d logins in %d lives", r.logins, r.plan.lives)
	promise(most <= r.plan.lives, "a follower read Redis %d times in %d lives", most, r.plan.lives)
	promise(r.spread() <= 0.25, "%.0f %% of the followers read in the same %v", 100*r.spread(), slice)
	promise(p99 > 0 && p99 < r.window(), "the 99th percentile of the pick-up is %v, and the window %v", p99, r.window())
	promise(errs == 0, "%d calls failed, the first: %w", errs, first)
	promise(late == 0, "%d calls returned an expired token", late)
	return errors.Join(broken...)
}
