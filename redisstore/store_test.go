package redisstore_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/storetest"
)

var (
	_ shsession.Store   = (*redisstore.Store)(nil)
	_ shsession.Watcher = (*redisstore.Store)(nil)
)

// TestStore runs the contract suite over one server, in the clear and encrypted,
// and over a cluster of one node, which refuses keys of several hash slots.
func TestStore(t *testing.T) {
	t.Run("plain", func(t *testing.T) { testStore(t, startRedis(t), "redis", quick()) })
	t.Run("encrypted", func(t *testing.T) {
		opts := quick()
		opts.Key = key()
		testStore(t, startRedis(t), "redis", opts)
	})
	t.Run("cluster", func(t *testing.T) {
		s := startRedis(t, "--cluster-enabled", "yes")
		s.do(t, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
		eventually(t, "the cluster is up", func() bool {
			return strings.Contains(s.do(t, "CLUSTER", "INFO").String(), "cluster_state:ok")
		})
		testStore(t, s, "redis+cluster", quick())
	})
}

func testStore(t *testing.T, s *server, scheme string, opts redisstore.Options) {
	var names atomic.Int64
	storetest.Test(t, func(t *testing.T) storetest.Setup {
		name := fmt.Sprintf("test-%d", names.Add(1))
		keys := "shsession:{" + name + "}:"
		return storetest.Setup{
			Open: func() shsession.Store {
				return openURL(t, scheme+"://"+s.addr+"?key="+name, opts)
			},
			Remove: func() { s.do(t, "DEL", keys+"token") },
			LoseLock: func() { // as if another had taken it and released it
				s.do(t, "SET", keys+"fence", "another")
				s.do(t, "DEL", keys+"lock")
			},
			Forgets: true,
		}
	})
}

func TestExpiryFromRedis(t *testing.T) {
	s := startRedis(t)
	for _, skew := range []time.Duration{-10 * time.Minute, 10 * time.Minute} {
		// Whoever published it had a clock that is wrong by skew: so is
		// expires_at, but not the life that Redis counts.
		store := s.open(t, "skewed", redisstore.Options{})
		skewed := newToken(t, "token", time.Hour+skew)
		s.do(t, "SET", "shsession:{skewed}:token", skewed.Encode(), "PX", time.Hour.Milliseconds())
		wantLife(t, store, skewed, time.Hour)
	}
	t.Run("PTTL", func(t *testing.T) {
		store := s.open(t, "life", redisstore.Options{})
		publish(t, store, newToken(t, "token", 90*time.Second))
		ttl, err := s.do(t, "PTTL", "shsession:{life}:token").Int64()
		if left := time.Duration(ttl) * time.Millisecond; err != nil || left > 90*time.Second || left < 88*time.Second {
			t.Errorf("the key lives for %v (%v), not for 90s", left, err)
		}
	})
	t.Run("persisted", func(t *testing.T) {
		store := s.open(t, "persisted", redisstore.Options{})
		token := newToken(t, "token", 10*time.Minute)
		publish(t, store, token)
		s.do(t, "PERSIST", "shsession:{persisted}:token")
		wantLife(t, store, token, 10*time.Minute)
	})
	t.Run("ends", func(t *testing.T) {
		store := s.open(t, "ends", redisstore.Options{})
		publish(t, store, newToken(t, "token", 100*time.Millisecond))
		eventually(t, "the token ends", func() bool {
			_, err := store.Load(t.Context())
			return errors.Is(err, shsession.ErrNotShared)
		})
	})
}

// TestCommands counts what a follower costs: two commands and one round trip a life.
func TestCommands(t *testing.T) {
	s := startRedis(t)
	publish(t, s.open(t, "name", redisstore.Options{}), newToken(t, "token", time.Hour))
	s.do(t, "CONFIG", "RESETSTAT")
	follower := shsession.Follow(s.open(t, "name", redisstore.Options{}))
	for range 1000 {
		if _, err := follower.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	calls := map[string]string{}
	text, err := s.do(t, "INFO", "commandstats").Text()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if name, stats, ok := strings.Cut(line, ":"); ok {
			calls[strings.TrimPrefix(name, "cmdstat_")], _, _ = strings.Cut(stats, ",")
		}
	}
	for _, name := range []string{"config|resetstat", "hello", "info"} { // the administrator, and once a connection
		delete(calls, name)
	}
	if len(calls) != 2 || calls["get"] != "calls=1" || calls["pttl"] != "calls=1" {
		t.Errorf("a follower's commands in one life of the token are %v, not one PTTL and one GET", calls)
	}
}

func TestScriptsForgotten(t *testing.T) {
	s := startRedis(t)
	store := s.open(t, "name", quick())
	for range 2 {
		publish(t, store, newToken(t, "token", time.Hour))
		_, unlock, err := store.TryLock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.do(t, "SCRIPT", "FLUSH")
		unlock()
		_, unlock, err = store.TryLock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		unlock()
		s.do(t, "SCRIPT", "FLUSH")
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "a b", "a{b", "a}b", "a\nb", "a\x00b", "\xff", strings.Repeat("a", 256)} {
		if _, err := redisstore.New(nil, name, redisstore.Options{}); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
	for _, name := range []string{"a", redisstore.DefaultName, "team/žluťoučký:1", strings.Repeat("a", 255)} {
		s, err := redisstore.New(nil, name, redisstore.Options{})
		if err != nil {
			t.Errorf("the name %q is refused: %v", name, err)
		} else if got := fmt.Sprintf("%v %+v %#v", s, s, s); got != strings.TrimSpace(strings.Repeat("redis:"+name+" ", 3)) {
			t.Errorf("the store of name %q prints as %s", name, got)
		}
	}
}
