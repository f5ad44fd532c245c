package redisstore_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

const (
	noteKey    = "shsession:{name}:note"
	sharersKey = "shsession:{name}:sharers"
)

// TestGarbage puts what isn't ours under every key: it is replaced, and keeps nobody from
// sharing.
func TestGarbage(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	var garbage [][]any
	for _, key := range []string{tokenKey, lockKey, fenceKey, noteKey, sharersKey} {
		garbage = append(garbage,
			[]any{"LPUSH", key, "a list"},
			[]any{"HSET", key, "field", "a hash", "{}", "99999999999999999999", `{"pid": 1}`, "soon", "[1]", "1e99", "7", "inf"},
			[]any{"SET", key, "text"},
			[]any{"SET", key, "SHS1"},
			[]any{"SET", key, `{"access_token": 1}`},
			[]any{"SET", key, ""},
		)
	}
	garbage = append(garbage,
		[]any{"HSET", sharersKey, `{"host": "far", "pid": 1, "client_id": "other", "id": "x"}`, time.Now().AddDate(1, 0, 0).UnixMilli()},
		[]any{"HSET", sharersKey, `{"host": 1, "pid": "x", "client_id": ["other"], "issuer": {}}`, time.Now().Add(time.Hour).UnixMilli()},
		[]any{"HSET", sharersKey, "token", "not a digest"},
	)
	for _, key := range []shsession.Secret{{}, key()} {
		for _, command := range garbage {
			s.do(t, "FLUSHALL")
			s.do(t, command...)
			what := fmt.Sprint("encrypted: ", !key.IsZero(), ", ", command)
			testGarbage(t, what, s, redisstore.Options{Key: key, Interval: steady().Interval})
		}
	}
}

func testGarbage(t *testing.T, what string, s *server, opts redisstore.Options) {
	store := s.open(t, "name", opts)
	if _, err := store.Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("%s: Load: %v, want ErrNotShared", what, err)
	}
	if live, dead, err := store.Sharers(t.Context()); err != nil || len(live) > 0 {
		t.Errorf("%s: the sharers are %v and %v (%v)", what, live, dead, err)
	}
	w, err := store.Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatalf("%s: Watch: %v", what, err)
	}
	defer w.Stop()
	held, unlock, err := store.TryLock(t.Context(), nil)
	if err != nil {
		t.Fatalf("%s: TryLock: %v", what, err)
	}
	token := newToken(t, "token", time.Hour)
	if err := store.Publish(held, token); err != nil {
		t.Fatalf("%s: Publish: %v", what, err)
	}
	unlock(shsession.Note{})
	wantLife(t, store, token, time.Hour)
	if live, _, err := store.Sharers(t.Context()); err != nil || len(live) != 1 {
		t.Errorf("%s: the sharers are %v (%v), not one", what, live, err)
	}
	w.Stop()
	if err := store.Withdraw(t.Context()); err != nil {
		t.Errorf("%s: Withdraw: %v", what, err)
	}
	if n := s.do(t, "EXISTS", tokenKey, sharersKey, noteKey, lockKey).Val(); n != int64(0) {
		t.Errorf("%s: %v keys are left", what, n)
	}
}

// TestGarbageJoined: a member logs in and replaces the garbage.
func TestGarbageJoined(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	s.do(t, "RPUSH", tokenKey, "garbage")
	var logins atomic.Int64
	session, err := shsession.Join(newService(t, &logins), s.open(t, "name", steady()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := session.Token(t.Context()); err != nil || logins.Load() != 1 {
		t.Errorf("%d logins, and %v", logins.Load(), err)
	}
	if _, err := s.open(t, "name", steady()).Load(t.Context()); err != nil {
		t.Errorf("Load: %v", err)
	}
}

// TestForbidden: what the ACL forbids to read isn't taken for garbage, and deleted.
func TestForbidden(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	s.do(t, "HSET", sharersKey, "theirs", "1")
	s.do(t, "ACL", "SETUSER", "blind", "on", "nopass", "~*", "+@all", "-hgetall", "-get")
	store := openURL(t, "redis://blind@"+s.addr+"?key=name", redisstore.Options{Password: shsession.NewSecret("any")})
	for method, call := range methods(t.Context(), store, newToken(t, "token", time.Hour)) {
		if err := call(); method != "Publish" && err == nil {
			t.Errorf("%s is no error", method)
		}
	}
	if n := s.do(t, "HLEN", sharersKey).Val(); n != int64(1) {
		t.Errorf("there are %v registrations, not 1", n)
	}
}

// TestFull: a Redis without memory refuses to write. It may have memory again.
func TestFull(t *testing.T) {
	t.Parallel()
	s := startRedis(t, "--maxmemory", "1", "--maxmemory-policy", "noeviction")
	store := s.open(t, "name", steady())
	methods := methods(t.Context(), store, newToken(t, "token", time.Hour))
	for _, method := range []string{"Publish", "TryLock", "Watch"} {
		if err := methods[method](); !errors.Is(err, redisstore.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", method, err)
		}
	}
	s.do(t, "CONFIG", "SET", "maxmemory", "0")
	publish(t, store, newToken(t, "token", time.Hour))
}

func FuzzWritten(f *testing.F) {
	f.Add(`{"host": "host", "pid": 1, "client_id": "client", "issuer": "https://example.com", "id": "x"}`, int64(0))
	f.Add(`{"status": 401, "code": "invalid_client", "secret": "0123456789abcdef", "failures": 3}`, time.Hour.Milliseconds())
	f.Add(`{"status": 503, "failures": -9223372036854775808}`, int64(1)<<62)
	f.Fuzz(func(t *testing.T, text string, life int64) {
		redisstore.ParseRegistration(text)
		note := redisstore.ParseNote(text, time.Duration(life))
		if left := note.Remaining(); left < 0 || left > 15*time.Minute {
			t.Errorf("a note is in force for %v", left)
		}
	})
}
