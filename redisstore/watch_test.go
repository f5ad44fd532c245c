package redisstore_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

const tokenKey = "shsession:{name}:token"

func TestWatchSurvivesFlush(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	store := s.open(t, "name", steady())
	token := newToken(t, "token", time.Hour)
	publish(t, store, token)
	w := watch(t, store)
	s.do(t, "FLUSHALL")
	testkit.Eventually(t, "the token is put back", func() bool { return w.Restored() == 1 })
	wantLife(t, store, token, time.Hour) // with the life it had left, not a new one
	s.do(t, "SCRIPT", "FLUSH")
	s.do(t, "DEL", tokenKey)
	testkit.Eventually(t, "the token is put back", func() bool { return w.Restored() == 2 })
}

func TestWatchSurvivesRestart(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	store, follower := s.open(t, "name", steady()), s.open(t, "name", steady())
	token := newToken(t, "token", time.Hour)
	publish(t, store, token)
	w := watch(t, store)
	s.stop()
	if _, err := follower.Load(t.Context()); err == nil {
		t.Fatal("Load without a Redis is no error")
	}
	if !s.start(t) {
		t.Fatal("Redis doesn't start again")
	}
	testkit.Eventually(t, "the token is put back", func() bool { return w.Restored() == 1 })
	testkit.Eventually(t, "the follower's client is connected again", func() bool {
		_, err := follower.Load(t.Context())
		return err == nil
	})
	wantLife(t, follower, token, time.Hour)
	live, _, err := follower.Sharers(t.Context())
	if err != nil || len(live) != 1 {
		t.Errorf("the sharers are %v (%v), not the one", live, err)
	}
}

// TestWatchLetsExpire: a token that has lived its life isn't put back.
func TestWatchLetsExpire(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	store := s.open(t, "name", steady())
	publish(t, store, newToken(t, "token", 200*time.Millisecond))
	w := watch(t, store)
	testkit.Eventually(t, "the token ends", func() bool { return s.do(t, "EXISTS", tokenKey).Val() == int64(0) })
	before := calls(t, s)["evalsha"]
	testkit.Eventually(t, "the watch has looked a few times", func() bool { return calls(t, s)["evalsha"] > before+3 })
	if n := s.do(t, "EXISTS", tokenKey).Val(); n != int64(0) || w.Restored() != 0 {
		t.Errorf("the expired token was put back %d times, and there are %v", w.Restored(), n)
	}
	select {
	case <-w.Changed():
		t.Error("Changed received, though the token only expired")
	default:
	}
}

// TestWatchGarbage: what is no token is reported, but neither kept nor removed.
func TestWatchGarbage(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	opts := steady()
	opts.Key = key()
	store := s.open(t, "name", opts)
	publish(t, store, newToken(t, "token", time.Hour))
	w := watch(t, store)
	for _, action := range []func(){
		func() {
			s.do(t, "SET", tokenKey, `{"access_token": "not encrypted", "expires_at": 99999999999}`, "PX", 100000)
		},
		func() { s.do(t, "DEL", tokenKey) },
	} {
		action()
		select {
		case <-w.Changed():
		case <-time.After(time.Minute):
			t.Fatal("Changed didn't receive")
		}
	}
	if n := w.Restored(); n != 0 {
		t.Errorf("something was put back %d times", n)
	}
}

// TestWatchFails: Changed receives when the token can't be looked after any more, and
// when it can be again.
func TestWatchFails(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	proxy := startProxy(t, s.addr)
	store := openURL(t, "redis://"+proxy.addr+"?key=name", steady())
	publish(t, store, newToken(t, "token", time.Hour))
	w := watch(t, store)
	changed := func() bool {
		select {
		case <-w.Changed():
			return true
		default:
			return false
		}
	}
	if changed() {
		t.Error("Changed received before anything happened")
	}
	proxy.cut()
	testkit.Eventually(t, "Changed receives that Redis is away", changed)
	proxy.mend()
	testkit.Eventually(t, "Changed receives that Redis is back", changed)
}

func TestSharers(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	if err := testkit.Steady(t, func() error { return sharersComeAndGo(t, s) }); err != nil { // a registration lives 9 s
		t.Error(err)
	}
}

// sharersComeAndGo has two sharers come and go, and looks at who is there.
func sharersComeAndGo(t *testing.T, s *server) error {
	ours, theirs, reader := s.open(t, "name", steady()), s.open(t, "name", steady()), s.open(t, "name", steady())
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	sharer := shsession.Sharer{PID: os.Getpid(), Host: host, Account: shsession.Account{ClientID: "client"}}
	var problems []error
	want := func(n int) {
		live, dead, err := reader.Sharers(t.Context())
		if diff := cmp.Diff(slices.Repeat([]shsession.Sharer{sharer}, n), append([]shsession.Sharer{}, live...)); diff != "" {
			err = errors.Join(err, fmt.Errorf("not the sharers that there are: %s", diff))
		}
		if len(dead) > 0 {
			err = errors.Join(err, fmt.Errorf("dead are %v", dead))
		}
		problems = append(problems, err)
	}
	want(0)
	publish(t, ours, newToken(t, "token", time.Hour))
	want(0)
	w := watch(t, ours)
	want(1)
	fellow := watch(t, theirs)
	want(2)
	fellow.Stop()
	want(1)
	w.Stop()
	want(0)
	return errors.Join(problems...)
}

// TestShare shares with everything at once: two members of a cluster, and a follower.
func TestShare(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	store := s.open(t, "name", redisstore.Options{Key: key()})
	follower := shsession.Follow(s.open(t, "name", redisstore.Options{Key: key()}))
	token := newToken(t, "token", time.Hour)
	mirrored := s.open(t, "mirror", redisstore.Options{})
	publish(t, store, token)
	sharing, err := shsession.Share(t.Context(), follower, mirrored)
	if err != nil {
		t.Fatal(err)
	}
	wantLife(t, mirrored, token, time.Hour)
	if err := sharing.Close(); err != nil {
		t.Error(err)
	}
	if n := s.do(t, "EXISTS", "shsession:{mirror}:token", "shsession:{mirror}:sharers").Val(); n != int64(0) {
		t.Errorf("%v keys are left after Close", n)
	}
}
