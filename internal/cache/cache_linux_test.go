package cache_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/logqueue"
	"github.com/shsession/shsession/internal/testkit"
)

// newClient returns a client of an identity service of its own, whose cache is removed at the end.
func newClient(t *testing.T) (*identity.Server, shsession.Config) {
	t.Helper()
	cfg := shsession.Config{ClientID: "cachetest-" + rand.Text(), ClientSecret: shsession.NewSecret("secret")}
	service, err := identity.New(identity.Options{
		Key: testkit.SigningKey(), Clients: []identity.Client{{ID: cfg.ClientID, Secret: cfg.ClientSecret}},
	})
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(service)
	t.Cleanup(listening.Close)
	cfg.BaseURL, cfg.TokenURL = listening.URL, listening.URL+"/auth/realms/main/protocol/openid-connect/token"
	cfg.Logger = slog.New(slog.DiscardHandler)
	t.Cleanup(func() { cache.Forget(context.Background(), cfg) })
	return service, cfg
}

// Sessions of one client have one token.
func TestOneToken(t *testing.T) {
	service, cfg := newClient(t)
	var tokens []shsession.Token
	for range 2 {
		session, err := cache.Session(cfg, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		token, err := session.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	if !tokens[0].Equal(tokens[1]) || service.Counters().TokensIssued != 1 {
		t.Errorf("%d logins, want one", service.Counters().TokensIssued)
	}
	if n, err := cache.Forget(t.Context(), cfg); n != 1 || err != nil {
		t.Errorf("Forget: %d, %v, want 1 token", n, err)
	}
}

// Forget leaves nothing of a client: neither its token, nor the notes of failed logins with other
// secrets, which have no token beside them.
func TestForgetLeavesNothing(t *testing.T) {
	_, cfg := newClient(t)
	for _, secret := range []string{"secret", "mistyped", "mistyped again"} {
		cfg := cfg
		cfg.ClientSecret = shsession.NewSecret(secret)
		session, err := cache.Session(cfg, func(err error) { t.Error(err) })
		if err != nil {
			t.Fatal(err)
		}
		if _, err := session.Token(t.Context()); (err == nil) != (secret == "secret") {
			t.Fatal(err)
		}
	}
	if kept := filesOf(t, cfg); strings.Count(strings.Join(kept, " "), ".note") != 2 {
		t.Fatalf("before, there is %q, want two notes", kept)
	}
	if n, err := cache.Forget(t.Context(), cfg); n != 1 || err != nil {
		t.Errorf("Forget: %d, %v, want 1 token", n, err)
	}
	if left := filesOf(t, cfg); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// filesOf returns the files in shared memory of cfg's client.
func filesOf(t *testing.T, cfg shsession.Config) (files []string) {
	t.Helper()
	client := cache.Name(cfg)[:len(cache.Name(cfg))-len("0000")]
	for _, dir := range []string{"/dev/shm", "/dev/shm/.shsession-" + strconv.Itoa(os.Geteuid())} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.Contains(e.Name(), client) {
				files = append(files, e.Name())
			}
		}
	}
	return files
}

// Whatever happens to the cache, and at any time, its sessions log in, and say once why.
func TestFailingCache(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, path, lock string){
		"a directory for the token": func(t *testing.T, path, _ string) { replace(t, path) },
		"a directory for the lock":  func(t *testing.T, _, lock string) { replace(t, lock) },
		"another user's token": func(t *testing.T, path, _ string) {
			if os.Geteuid() != 0 {
				t.Skip("only root can give a file away")
			}
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(path, 12345, -1); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.Remove(path) })
		},
	} {
		for _, worked := range []bool{true, false} {
			when := map[bool]string{true: ", after a login", false: ", from the start"}[worked]
			t.Run(name+when, func(t *testing.T) {
				service, cfg := newClient(t)
				var log strings.Builder
				var queue logqueue.Queue
				cfg.Logger = slog.New(queue.Handler(slog.NewTextHandler(&log, nil)))
				var reasons []error
				session, err := cache.Session(cfg, func(err error) { reasons = append(reasons, err) })
				if err != nil {
					t.Fatal(err)
				}
				logins := int64(1)
				if worked {
					logins++
					if _, err := session.Token(t.Context()); err != nil || len(reasons) > 0 {
						t.Fatal(err, reasons)
					}
				}
				segment := cache.Name(cfg)
				spoil(t, "/dev/shm/"+segment, lockOf(segment))
				token, err := session.Renew(t.Context())
				if err != nil || token.Remaining() == 0 {
					t.Fatalf("Renew: %v", err)
				}
				if n := service.Counters().TokensIssued; n != logins {
					t.Errorf("%d logins, want %d", n, logins)
				}
				if len(reasons) != 1 {
					t.Errorf("the reasons are %v, want one", errors.Join(reasons...))
				}
				queue.Flush(t.Context())
				if log.Len() > 0 {
					t.Errorf("the reason is logged too: %s", log.String())
				}
			})
		}
	}
}

// replace puts a directory in the place of a file.
func replace(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(path) })
}

// lockOf returns the path of a segment's lock for logins.
func lockOf(segment string) string {
	return fmt.Sprintf("/dev/shm/.shsession-%d/%s.lock", os.Geteuid(), segment)
}
