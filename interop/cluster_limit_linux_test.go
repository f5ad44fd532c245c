package interop_test

import (
	"os"
	"slices"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/ratelimit"
)

// A limitedCrew is thirty workers on three hosts that share one rate limit through Redis, at
// a service that has this limit.
type limitedCrew struct {
	*crew
	redis *redisServer
	limit string
}

// newLimitedCrew starts Redis and the service, and no workers yet.
func newLimitedCrew(t *testing.T, limit string, takes time.Duration) limitedCrew {
	t.Helper()
	policy, err := ratelimit.ParsePolicy(limit)
	if err != nil {
		t.Fatal(err)
	}
	l := newLAN(t, redisHost)
	server := l.startRedis(t, redisHost, 6379, "--save", "", "--appendonly", "no")
	c := newCrew(t, l, "redis://"+server.addr+"/0", identity.Options{Limit: policy, Takes: takes})
	return limitedCrew{c, server, limit}
}

// startAll starts ten workers on each host.
func (c limitedCrew) startAll(t *testing.T) {
	t.Helper()
	for _, host := range workerHosts {
		c.start(t, host, workersPerHost, os.Args[0], workerLimitEnv+"="+c.limit)
	}
}

// awaitFirst waits until the service has served so many, and something to each worker.
func (c limitedCrew) awaitFirst(t *testing.T, served int64) {
	t.Helper()
	testkit.EventuallyWithin(t, 2*time.Minute, "the first requests were served", func() bool {
		n := c.service.Counters()
		idle := slices.ContainsFunc(c.snapshot(), func(w worker) bool { return w.done == 0 })
		return !idle && n.APIRequests-n.APILimited > served
	})
}

// during returns what the service did in a time.
func (c limitedCrew) during(d time.Duration) (served, refused float64) {
	before := c.service.Counters()
	<-time.After(d)
	now := c.service.Counters()
	refused = float64(now.APILimited - before.APILimited)
	return float64(now.APIRequests-before.APIRequests) - refused, refused
}

// wantRate fails unless the service served at least half of what it could at its best, and
// refused a quarter of that at most. Without a limit it would refuse several for each that it
// serves. How close the workers come is for the simulation in package ratelimit: here it
// depends on what else the machine does.
func wantRate(t *testing.T, what string, served, best, refused float64) {
	t.Helper()
	t.Logf("%s: %.0f served, %.0f refused", what, served, refused)
	if served < best/2 || refused > max(1, served)/4 {
		t.Errorf("%s: %.0f served of %.0f, and %.0f refused", what, served, best, refused)
	}
}

// TestHostsLimit has the workers share ten requests a second, and does to them what happens
// in a cluster. The service knows whether the limit holds: it refuses what is beyond it.
func TestHostsLimit(t *testing.T) {
	t.Parallel()
	const limit, rate = "200/20s", 10
	c := newLimitedCrew(t, limit, 100*time.Millisecond)
	c.startAll(t)
	c.awaitFirst(t, 220)

	t.Run("the limit holds", func(t *testing.T) {
		before := map[int]int{}
		for _, w := range c.snapshot() {
			before[w.process.Pid] = w.done
		}
		served, refused := c.during(20 * time.Second)
		wantRate(t, "all", served, 0.9*20*rate, refused)
		var did []int
		for _, w := range c.snapshot() {
			did = append(did, w.done-before[w.process.Pid])
		}
		t.Logf("the busiest worker did %d, the least busy %d", slices.Max(did), slices.Min(did))
		if slices.Min(did) == 0 {
			t.Error("a worker had no turn")
		}
		c.wantNoFailure(t)
	})
	t.Run("Redis is killed and back, empty", func(t *testing.T) {
		c.redis.kill()
		served, refused := c.during(10 * time.Second)
		wantRate(t, "without Redis", served, 0.4*10*rate, refused)
		c.redis.start(t)
		served, refused = c.during(15 * time.Second)
		wantRate(t, "with Redis again", served, 0.7*15*rate, refused)
		c.wantNoFailure(t)
	})
	t.Run("Redis can't be reached", func(t *testing.T) {
		c.lan.cut(t, redisHost)
		served, refused := c.during(10 * time.Second)
		wantRate(t, "without Redis", served, 0.4*10*rate, refused)
		c.lan.mend(t, redisHost)
		served, refused = c.during(15 * time.Second)
		wantRate(t, "with Redis again", served, 0.7*15*rate, refused)
		c.wantNoFailure(t)
	})
	t.Run("a host is cut off", func(t *testing.T) { checkLimitCutOff(t, c, rate) })
	t.Run("a host's workers are killed", func(t *testing.T) {
		for _, w := range c.snapshot(2) {
			c.kill(w.process.Pid)
		}
		served, refused := c.during(15 * time.Second)
		wantRate(t, "the others", served, 0.8*15*rate, refused)
		c.wantNoFailure(t, 1)
	})
}

// checkLimitCutOff pulls the third host's cable, and puts it back.
func checkLimitCutOff(t *testing.T, c limitedCrew, rate float64) {
	const cut = 3
	c.lan.cut(t, cut)
	served, refused := c.during(15 * time.Second)
	wantRate(t, "the other hosts", served, 0.8*15*rate, refused)
	c.wantNoFailure(t, 1, 2)
	before := map[int]int{}
	for _, w := range c.snapshot(cut) {
		before[w.process.Pid] = w.done
	}
	c.lan.mend(t, cut)
	testkit.EventuallyWithin(t, time.Minute, "the host's workers are served again", func() bool {
		return !slices.ContainsFunc(c.snapshot(cut), func(w worker) bool { return w.done == before[w.process.Pid] })
	})
	served, refused = c.during(15 * time.Second)
	wantRate(t, "all again", served, 0.8*15*rate, refused)
	c.wantNoFailure(t, 1, 2)
}

// TestHostsSlots has the workers share four requests at a time, and kills those that have
// one, as often as there are enough workers.
func TestHostsSlots(t *testing.T) {
	t.Parallel()
	const slots = 4
	c := newLimitedCrew(t, "4", 3*time.Second)
	c.startAll(t)
	full := func() bool { return len(c.atAPI()) == slots }
	testkit.EventuallyWithin(t, time.Minute, "all slots are in use", full)
	for range 3 {
		holders := c.atAPI()
		for _, pid := range holders {
			c.kill(pid)
		}
		killed := time.Now()
		testkit.Eventually(t, "the service has noticed", func() bool {
			return !slices.ContainsFunc(c.atAPI(), func(pid int) bool { return slices.Contains(holders, pid) })
		})
		testkit.EventuallyWithin(t, time.Minute, "all slots are in use again", full)
		t.Logf("of %d killed holders the slots were in use again after %v, with a lease of %v",
			len(holders), time.Since(killed).Round(time.Millisecond), limitLease)
	}
	c.wantNoFailure(t)
	if n := c.service.Counters(); n.APILimited > 0 {
		t.Errorf("the service has refused %d requests: more than %d were sent at a time", n.APILimited, slots)
	}
}
