package redisstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
)

// TestFailover kills the master of a Redis that a Sentinel watches over: the token is
// there on the replica, and the lock works.
func TestFailover(t *testing.T) {
	t.Parallel()
	master := startRedis(t)
	replica := startRedis(t, "--replicaof", "127.0.0.1 "+master.port(), "--repl-diskless-sync-delay", "0")
	testkit.Eventually(t, "the replica follows", func() bool {
		text, _ := replica.do(t, "INFO", "replication").Text()
		return strings.Contains(text, "master_link_status:up")
	})
	sentinel := startSentinel(t, sentinelConf(t, fmt.Sprintf("sentinel monitor main 127.0.0.1 %s 1\n"+
		"sentinel down-after-milliseconds main 300\nsentinel failover-timeout main 2000\n", master.port())))
	testkit.Eventually(t, "the Sentinel knows the replica", func() bool {
		return strings.Contains(fmt.Sprint(sentinel.do(t, "SENTINEL", "REPLICAS", "main").Val()), replica.port())
	})

	store := openURL(t, "redis+sentinel://"+sentinel.addr+"/0?master=main&key=name", steady())
	token := newToken(t, "token", time.Hour)
	publish(t, store, token)
	w := watch(t, store)
	testkit.Eventually(t, "the token is replicated", func() bool {
		return replica.do(t, "EXISTS", tokenKey).Val() == int64(1)
	})
	master.stop()
	testkit.Eventually(t, "the replica is the master", func() bool {
		text, _ := replica.admin.Info(t.Context(), "replication").Result() // fails when it changes roles
		return strings.Contains(text, "role:master")
	})
	testkit.Eventually(t, "the store finds the new master", func() bool {
		_, unlock, err := store.TryLock(t.Context(), nil)
		if err == nil {
			unlock(shsession.Note{})
		}
		return err == nil
	})
	wantLife(t, store, token, time.Hour)
	next := newToken(t, "next", time.Hour)
	publish(t, store, next)
	wantLife(t, store, next, time.Hour)
	w.Stop()
}
