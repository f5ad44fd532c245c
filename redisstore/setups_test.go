package redisstore_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/storetest"
)

// TestStore runs the contract suite over every set-up of Redis that there is.
func TestStore(t *testing.T) {
	t.Parallel()
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		testURL(t, startRedis(t), "redis://%s/0?", steady())
	})
	t.Run("encrypted", func(t *testing.T) {
		t.Parallel()
		opts := steady()
		opts.Key = key()
		testURL(t, startRedis(t), "redis://%s/0?", opts)
	})
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		master := startRedis(t)
		sentinel := startSentinel(t, sentinelConf(t, "sentinel monitor main 127.0.0.1 "+master.port()+" 1\n"))
		testURL(t, master, "redis+sentinel://"+sentinel.addr+"/0?master=main&", steady())
	})
	t.Run("cluster of one", func(t *testing.T) {
		t.Parallel()
		testURL(t, startCluster(t, 1)[0], "redis+cluster://%s/?", steady())
	})
	t.Run("cluster of three", func(t *testing.T) {
		t.Parallel()
		nodes := startCluster(t, 3)
		testURL(t, nodes[0], "redis+cluster://"+nodes[1].addr+","+nodes[2].addr+"/?", steady())
	})
	t.Run("caller's client", func(t *testing.T) { // which speaks RESP3
		t.Parallel()
		s := startRedis(t)
		client := redis.NewClient(&redis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		testClient(t, client, s.admin)
	})
	t.Run("caller's cluster", func(t *testing.T) {
		t.Parallel()
		nodes := startCluster(t, 3)
		client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nodes[0].addr}, ContextTimeoutEnabled: true})
		t.Cleanup(func() { client.Close() })
		testClient(t, client, client)
	})
}

// testURL runs the suite over Stores that Open returns. %s in the URL, if it's there, is
// the server's address.
func testURL(t *testing.T, s *server, url string, opts redisstore.Options) {
	var admin redis.UniversalClient = s.admin
	if strings.Contains(url, "+cluster") {
		admin = redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.addr}})
		t.Cleanup(func() { admin.Close() })
	}
	testStore(t, admin, func(t *testing.T, name string) storetest.Setup {
		open := func(addr string, opts redisstore.Options) *redisstore.Store {
			return openURL(t, strings.Replace(url, "%s", addr, 1)+"key="+name, opts)
		}
		setup := storetest.Setup{Open: func() shsession.Store { return open(s.addr, opts) }}
		if strings.HasPrefix(url, "redis://") {
			setup.Die = func(account shsession.Account) {
				proxy := startProxy(t, s.addr)
				store := open(proxy.addr, redisstore.Options{Lease: brief().Lease, Interval: brief().Interval, Key: opts.Key})
				die(t, store, account)
				proxy.cut()
			}
		}
		return setup
	})
}

// die has a Store leave what a process leaves that is killed, once its way to Redis is
// cut.
func die(t *testing.T, store *redisstore.Store, account shsession.Account) {
	t.Helper()
	publish(t, store, newToken(t, "token", time.Hour))
	lock(t, store)
	w, err := store.Watch(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
}

// testClient runs the suite over Stores that New returns.
func testClient(t *testing.T, client, admin redis.UniversalClient) {
	testStore(t, admin, func(t *testing.T, name string) storetest.Setup {
		return storetest.Setup{Open: func() shsession.Store {
			store, err := redisstore.New(client, name, steady())
			if err != nil {
				t.Fatal(err)
			}
			return store.Wait(time.Minute)
		}}
	})
}

func testStore(t *testing.T, admin redis.UniversalClient, open func(t *testing.T, name string) storetest.Setup) {
	var names atomic.Int64
	storetest.Test(t, func(t *testing.T) storetest.Setup {
		t.Parallel()
		name := fmt.Sprintf("test-%d", names.Add(1))
		keys := "shsession:{" + name + "}:"
		do := func(args ...any) {
			t.Helper()
			if err := admin.Do(t.Context(), args...).Err(); err != nil {
				t.Fatalf("%v: %v", args, err)
			}
		}
		setup := open(t, name)
		setup.Remove = func() { do("DEL", keys+"token") }
		setup.LoseLock = func() { // as if another had taken it and released it
			do("SET", keys+"fence", "another")
			do("DEL", keys+"lock")
		}
		setup.Forgets, setup.ManyMachines = true, true
		return setup
	})
}

// startCluster starts a Redis Cluster of so many masters, with about as many hash slots
// each.
func startCluster(t *testing.T, masters int) []*server {
	t.Helper()
	const slots = 16384
	var nodes []*server
	for i := range masters {
		_, bus, _ := strings.Cut(testkit.FreeAddr(t), ":")
		s := startRedis(t, "--cluster-enabled", "yes", "--cluster-port", bus)
		s.do(t, "CLUSTER", "SET-CONFIG-EPOCH", i+1)
		s.do(t, "CLUSTER", "ADDSLOTSRANGE", i*slots/masters, (i+1)*slots/masters-1)
		if i > 0 {
			s.do(t, "CLUSTER", "MEET", "127.0.0.1", nodes[0].port(), nodes[0].bus())
		}
		nodes = append(nodes, s)
	}
	for _, s := range nodes {
		testkit.Eventually(t, "the cluster is up", func() bool {
			info := s.do(t, "CLUSTER", "INFO").String()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, fmt.Sprintf("cluster_size:%d", masters))
		})
	}
	return nodes
}

// bus returns the port at which a node of a cluster talks to the others.
func (s *server) bus() string { return s.args[len(s.args)-1] }
