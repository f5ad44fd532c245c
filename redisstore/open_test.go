package redisstore_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// TestUnreachable: every method says that Redis can't be reached, and why.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for what, addr := range map[string]string{"refused": nobody, "silent": silent(t)} {
		for _, scheme := range []string{"redis", "redis+cluster", "rediss"} {
			store := openHasty(t, scheme+"://"+addr, redisstore.Options{})
			all.Go(func() { testUnreachable(t, what+" "+scheme, store) })
		}
	}
	all.Wait()
}

func testUnreachable(t *testing.T, what string, store *redisstore.Store) {
	token := newToken(t, "token", time.Hour)
	var all sync.WaitGroup
	for method, call := range methods(t.Context(), store, token) {
		all.Go(func() {
			if err := call(); !errors.Is(err, redisstore.ErrUnavailable) {
				t.Errorf("%s, %s: %v, want ErrUnavailable", what, method, err)
			}
		})
	}
	all.Go(func() {
		hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := store.Load(hasty); err == nil || errors.Is(err, shsession.ErrNotShared) {
			t.Errorf("%s, Load in haste: %v", what, err)
		}
	})
	all.Wait()
	if err := store.Withdraw(t.Context()); err != nil {
		t.Errorf("%s, Withdraw of nothing: %v", what, err)
	}
}

// methods returns the methods of a Store that need Redis.
func methods(ctx context.Context, store *redisstore.Store, token shsession.Token) map[string]func() error {
	return map[string]func() error{
		"Load":    func() error { _, err := store.Load(ctx); return err },
		"Publish": func() error { return store.Publish(ctx, token) },
		"TryLock": func() error { _, _, err := store.TryLock(ctx, nil); return err },
		"Watch":   func() error { _, err := store.Watch(ctx, shsession.Account{ClientID: "client"}); return err },
		"Sharers": func() error { _, _, err := store.Sharers(ctx); return err },
	}
}

// TestPatience: no method waits for a Redis that takes connections and never answers for
// longer than two seconds, and a deadline before that holds exactly.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := redis.NewClient(&redis.Options{
			Addr:                     "127.0.0.1:6379", // no name, which would be looked up outside the bubble
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
			ContextTimeoutEnabled:    true,
			Dialer: func(context.Context, string, string) (net.Conn, error) {
				conn, redis := net.Pipe()
				context.AfterFunc(t.Context(), func() { redis.Close() })
				return conn, nil
			},
		})
		defer client.Close()
		store, err := redisstore.New(client, "name", redisstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		hasty, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := store.Load(hasty); err == nil || time.Since(began) != 50*time.Millisecond {
			t.Errorf("Load within 50ms: %v after %v", err, time.Since(began))
		}
		for method, call := range methods(t.Context(), store, newToken(t, "token", time.Hour)) {
			began := time.Now()
			if err := call(); !errors.Is(err, redisstore.ErrUnavailable) || time.Since(began) > 2*time.Second {
				t.Errorf("%s: %v after %v, want ErrUnavailable after 2s", method, err, time.Since(began))
			}
		}
	})
}

func TestOwnership(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
	store, err := redisstore.New(client, "name", redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, store, newToken(t, "token", time.Hour))
	if err := store.Close(); err != nil {
		t.Error(err)
	}
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Errorf("Close closed the caller's client: %v", err)
	}
	if err := client.Close(); err != nil {
		t.Error(err)
	}
}

func TestDatabases(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	token := newToken(t, "token", time.Hour)
	publish(t, openURL(t, "redis://"+s.addr+"/3?key=name", redisstore.Options{}), token)
	wantLife(t, openURL(t, "redis://"+s.addr+"/3?key=name", redisstore.Options{}), token, time.Hour)
	if _, err := openURL(t, "redis://"+s.addr+"/0?key=name", redisstore.Options{}).Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("Load from another database: %v, want ErrNotShared", err)
	}
}

func TestOptionsFromEnv(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		what string
		env  map[string]string
		want [3]string // Password, SentinelPassword, Key
		err  bool
	}{
		{"nothing", nil, [3]string{}, false},
		{"variables", map[string]string{"SHSESSION_REDIS_PASSWORD": "p", "SHSESSION_REDIS_SENTINEL_PASSWORD": "s", "SHSESSION_STORE_KEY": "k"},
			[3]string{"p", "s", "k"}, false},
		{"files", map[string]string{"SHSESSION_REDIS_PASSWORD_FILE": file, "SHSESSION_STORE_KEY_FILE": file},
			[3]string{"from a file", "", "from a file"}, false},
		{"both", map[string]string{"SHSESSION_STORE_KEY": "hunter2", "SHSESSION_STORE_KEY_FILE": file}, [3]string{}, true},
		{"missing", map[string]string{"SHSESSION_STORE_KEY_FILE": file + "x"}, [3]string{}, true},
		{"empty", map[string]string{"SHSESSION_REDIS_PASSWORD_FILE": empty}, [3]string{}, true},
	} {
		t.Run(test.what, func(t *testing.T) {
			for _, name := range []string{"SHSESSION_REDIS_PASSWORD", "SHSESSION_REDIS_SENTINEL_PASSWORD", "SHSESSION_STORE_KEY"} {
				t.Setenv(name, test.env[name])
				t.Setenv(name+"_FILE", test.env[name+"_FILE"])
			}
			opts, err := redisstore.OptionsFromEnv()
			if (err != nil) != test.err {
				t.Fatalf("error %v", err)
			}
			if err != nil {
				if strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the error shows the secret: %v", err)
				}
				return
			}
			if got := [3]string{opts.Password.Reveal(), opts.SentinelPassword.Reveal(), opts.Key.Reveal()}; got != test.want {
				t.Errorf("the secrets are %q, not %q", got, test.want)
			}
		})
	}
}
