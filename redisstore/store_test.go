package redisstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

var (
	_ shsession.Store   = (*redisstore.Store)(nil)
	_ shsession.Watcher = (*redisstore.Store)(nil)
)

func TestExpiryFromRedis(t *testing.T) {
	t.Parallel()
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
		if left := time.Duration(ttl) * time.Millisecond; err != nil || left > 90*time.Second || left < time.Minute {
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
	t.Run("stretched", func(t *testing.T) { // by a wrong clock, or somebody
		store := s.open(t, "stretched", redisstore.Options{Key: key()})
		token := newToken(t, "token", 10*time.Minute)
		publish(t, store, token)
		s.do(t, "PEXPIRE", "shsession:{stretched}:token", (10 * time.Hour).Milliseconds())
		wantLife(t, store, token, time.Hour) // its whole life, but no more
	})
	t.Run("ends", func(t *testing.T) {
		store := s.open(t, "ends", redisstore.Options{})
		publish(t, store, newToken(t, "token", 100*time.Millisecond))
		testkit.Eventually(t, "the token ends", func() bool {
			_, err := store.Load(t.Context())
			return errors.Is(err, shsession.ErrNotShared)
		})
	})
}

// TestCommands counts what a follower costs: two commands and one round trip a life.
func TestCommands(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	publish(t, s.open(t, "name", redisstore.Options{}), newToken(t, "token", time.Hour))
	s.do(t, "CONFIG", "RESETSTAT")
	follower := shsession.Follow(s.open(t, "name", redisstore.Options{}))
	for range 1000 {
		if _, err := follower.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	calls := calls(t, s)
	for _, name := range []string{"config|resetstat", "hello", "info"} { // the administrator, and once a connection
		delete(calls, name)
	}
	if len(calls) != 2 || calls["get"] != 1 || calls["pttl"] != 1 {
		t.Errorf("a follower's commands in one life of the token are %v, not one PTTL and one GET", calls)
	}
}

// calls returns how often each command was called.
func calls(t *testing.T, s *server) map[string]int {
	t.Helper()
	text, err := s.do(t, "INFO", "commandstats").Text()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for line := range strings.Lines(text) {
		var n int
		name, stats, _ := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":")
		if _, err := fmt.Sscanf(stats, "calls=%d", &n); err == nil {
			all[name] = n
		}
	}
	return all
}

func TestScriptsForgotten(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	store := s.open(t, "name", steady())
	for range 2 {
		publish(t, store, newToken(t, "token", time.Hour))
		_, unlock, err := store.TryLock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		s.do(t, "SCRIPT", "FLUSH")
		unlock(shsession.Note{})
		_, unlock, err = store.TryLock(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		unlock(shsession.Note{})
		s.do(t, "SCRIPT", "FLUSH")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
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
