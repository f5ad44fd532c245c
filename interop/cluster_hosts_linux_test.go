package interop_test

import (
	"os"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// The hosts of the cluster tests. redisHost is the last one.
var workerHosts = []int{1, 2, 3}

const (
	redisHost      = 4
	workersPerHost = 10
)

// outage is how long a host is cut off: much longer than a token lives, so that its workers have tried in vain to
// reach Redis dozens of times.
const outage = 45 * time.Second

// TestHosts has thirty processes on three hosts share a token through the Redis on a fourth, and does to them what
// happens in a cluster.
func TestHosts(t *testing.T) {
	t.Parallel()
	const life = 8 * time.Second
	l := newLAN(t, redisHost)
	server := l.startRedis(t, redisHost, 6379, "--save", "", "--appendonly", "no")
	c := newCrew(t, l, "redis://"+server.addr+"/0", identity.Options{Lifetime: life})
	for _, host := range workerHosts {
		c.start(t, host, workersPerHost, os.Args[0])
	}

	t.Run("one login a life", func(t *testing.T) {
		for number := range 2 {
			c.awaitNewer(t, number)
			c.wantLogins(t, number+1, number+1)
		}
		c.wantNoFailure(t)
	})
	t.Run("the lease holder is killed", func(t *testing.T) {
		before := c.logins()
		c.atNextLogin(c.kill)
		c.awaitNewer(t, c.newest()) // before the token ended, or there would be failures
		c.wantLogins(t, before+2, before+2)
		c.wantNoFailure(t)
	})
	// Redis loses its memory when some workers have the new token, and the others have still to fetch it.
	t.Run("FLUSHALL", func(t *testing.T) {
		c.atNextToken(t, func() { server.do(t, "FLUSHALL") })
	})
	t.Run("Redis restarts empty", func(t *testing.T) {
		c.atNextToken(t, func() {
			server.kill()
			server.start(t)
		})
	})
	t.Run("a host is cut off", func(t *testing.T) { checkCutOff(t, c) })
}

// atNextToken calls f when the first worker has a new token, and checks that nobody fails and that it costs one login at most.
func (c *crew) atNextToken(t *testing.T, f func()) {
	t.Helper()
	before, number := c.logins(), c.newest()
	testkit.Eventually(t, "there is a new token", func() bool { return c.newest() > number })
	f()
	c.awaitNewer(t, number)
	c.wantLogins(t, before+1, before+2)
	c.wantNoFailure(t)
}

// checkCutOff pulls the cable of the third host and puts it back.
func checkCutOff(t *testing.T, c *crew) {
	const cut = 3
	number := c.newest()
	c.lan.cut(t, cut)
	back := time.After(outage)
	testkit.Eventually(t, "every worker that is cut off fails", func() bool {
		for _, w := range c.snapshot(cut) {
			if len(w.failures) == 0 {
				return false
			}
		}
		return true
	})
	for _, w := range c.snapshot(cut) {
		if f := w.failures[0]; f.class != "network" || f.left > time.Second {
			t.Errorf("the first failure, with the token living %v on, is %s", f.left, f.text)
		}
	}
	t.Logf("a worker says: %s", c.snapshot(cut)[0].failures[0].text)
	c.awaitNewer(t, number, 1, 2)
	c.wantNoFailure(t, 1, 2)

	<-back
	before, newest := c.logins(), c.newest()
	c.lan.mend(t, cut)
	mended := time.Now()
	c.awaitNewer(t, newest-1, cut)
	t.Logf("all have a token %v after the cable was put back", time.Since(mended).Round(time.Millisecond))
	c.wantLogins(t, before, before+1) // its time may have come once: they were back within a token's life
	c.wantNoFailure(t, 1, 2)
}
