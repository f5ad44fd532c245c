package interop_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// TestHostsFailover has thirty processes on three hosts share a token through a Redis with two replicas and three
// Sentinels, and kills the master when a new token is on its way to them.
func TestHostsFailover(t *testing.T) {
	t.Parallel()
	const life = 12 * time.Second
	l := newLAN(t, redisHost)
	servers, sentinels := l.startSentinels(t, redisHost)
	c := newCrew(t, l, "redis+sentinel://"+strings.Join(sentinels, ",")+"/0?master=main", identity.Options{Lifetime: life})
	for _, host := range workerHosts {
		c.start(t, host, workersPerHost, os.Args[0])
	}
	c.awaitNewer(t, 0)
	c.wantLogins(t, 1, 1)

	c.atNextToken(t, servers[0].kill)
	testkit.Eventually(t, "a replica is the master", func() bool { return isMaster(servers[1]) || isMaster(servers[2]) })

	before := c.logins()
	c.awaitNewer(t, c.newest()) // through the new master
	c.wantLogins(t, before+1, before+1)
	c.wantNoFailure(t)
}

// startSentinels starts a master, which is the first server, two replicas of it, and three Sentinels, whose addresses it returns.
func (l *lan) startSentinels(t *testing.T, host int) (servers []*redisServer, sentinels []string) {
	t.Helper()
	const quorum = 2
	memory := []string{"--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"}
	master := l.startRedis(t, host, 6379, memory...)
	servers = append(servers, master)
	for port := 6380; port <= 6381; port++ {
		servers = append(servers, l.startRedis(t, host, port, append(memory, "--replicaof", l.addr(host)+" 6379")...))
	}
	for _, replica := range servers[1:] {
		testkit.Eventually(t, "a replica follows", func() bool {
			return strings.Contains(replica.do(t, "INFO", "replication"), "master_link_status:up")
		})
	}
	config := fmt.Sprintf("sentinel monitor main %s 6379 %d\n"+
		"sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 3000\n", l.addr(host), quorum)
	var all []*redisServer
	for port := 26379; port <= 26381; port++ {
		file := filepath.Join(t.TempDir(), "sentinel.conf") // which it rewrites
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		all = append(all, l.startRedis(t, host, port, file, "--sentinel"))
	}
	for _, s := range all {
		sentinels = append(sentinels, s.addr)
		testkit.Eventually(t, "a Sentinel knows the others", func() bool {
			return strings.Contains(s.do(t, "INFO", "sentinel"), "slaves=2,sentinels=3")
		})
	}
	return servers, sentinels
}

func isMaster(s *redisServer) bool {
	text, _ := s.ask("INFO", "replication") // fails while it changes its role
	return strings.Contains(text, "role:master")
}
