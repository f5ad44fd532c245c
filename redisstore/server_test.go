package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

func TestMain(m *testing.M) {
	testkit.SetParallel("24")
	redisstore.LogClient(slog.New(slog.DiscardHandler))
	testkit.VerifyTestMain(m)
}

// A server is a redis-server of the test's own.
type server struct {
	dir, addr string
	conf      string // "" for none
	args      []string
	cmd       *exec.Cmd
	admin     *redis.Client
}

// startRedis starts a redis-server on the loopback interface, which ends with the
// test. Without one installed the test is skipped, unless SHSESSION_INTEROP=required.
func startRedis(t *testing.T, args ...string) *server {
	t.Helper()
	return startServer(t, &server{dir: t.TempDir(), args: append([]string{"--save", "", "--appendonly", "no"}, args...)})
}

// startSentinel starts a Redis Sentinel that reads, and writes, conf.
func startSentinel(t *testing.T, conf string) *server {
	t.Helper()
	return startServer(t, &server{dir: t.TempDir(), args: []string{"--sentinel"}, conf: conf})
}

func startServer(t *testing.T, s *server) *server {
	t.Helper()
	testkit.Need(t, "redis-server")
	for range 5 { // another process may take the port first
		if s.addr = testkit.FreeAddr(t); s.start(t) {
			t.Cleanup(s.stop)
			return s
		}
	}
	t.Fatal("redis-server doesn't start; see its log above")
	return nil
}

// nobody is an address on which nobody listens. A free port could be given to another test's Redis meanwhile, a
// port as low as this one can't.
const nobody = "127.0.0.1:1"

func (s *server) port() string {
	_, port, _ := net.SplitHostPort(s.addr)
	return port
}

// start starts the server at its address, with nothing in it.
func (s *server) start(t *testing.T) bool {
	t.Helper()
	logFile := filepath.Join(s.dir, "log")
	args := append([]string{"--port", s.port(), "--bind", "127.0.0.1", "--dir", s.dir, "--logfile", logFile}, s.args...)
	if s.conf != "" {
		args = append([]string{s.conf}, args...)
	}
	before := testkit.RedisStarts(logFile)
	s.cmd = exec.Command("redis-server", args...)
	s.cmd.Stderr = os.Stderr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.admin = redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1, DialerRetries: 1})
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for range 1000 {
		if testkit.RedisStarts(logFile) > before {
			return true
		}
		<-ticker.C
	}
	s.stop()
	if text, err := os.ReadFile(logFile); err == nil {
		t.Logf("%s", text)
	}
	return false
}

// stop kills the server: it saves nothing.
func (s *server) stop() {
	s.admin.Close()
	s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// do runs a command as the server's administrator.
func (s *server) do(t *testing.T, args ...any) *redis.Cmd {
	t.Helper()
	cmd := s.admin.Do(context.WithoutCancel(t.Context()), args...)
	if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("%v: %v", args[0], err)
	}
	return cmd
}

// as returns a client that logs in with a password.
func (s *server) as(t *testing.T, password string) *redis.Client {
	client := redis.NewClient(&redis.Options{Addr: s.addr, Password: password})
	t.Cleanup(func() { client.Close() })
	return client
}

// open returns a Store of that name, with a client of its own.
func (s *server) open(t *testing.T, name string, opts redisstore.Options) *redisstore.Store {
	t.Helper()
	return openURL(t, "redis://"+s.addr+"/0?key="+name, opts)
}

func openURL(t *testing.T, url string, opts redisstore.Options) *redisstore.Store {
	t.Helper()
	return openHasty(t, url, opts).Wait(time.Minute) // a Redis gets little time on a busy machine
}

// openHasty returns a Store that waits for two seconds, for a Redis that doesn't answer.
func openHasty(t *testing.T, url string, opts redisstore.Options) *redisstore.Store {
	t.Helper()
	store, err := redisstore.Open(url, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// steady are options for a process that lives: a busy machine doesn't make it miss its
// heartbeats or lose its lock.
func steady() redisstore.Options {
	return redisstore.Options{Lease: 9 * time.Second, Interval: 500 * time.Millisecond}
}

// brief are options for a process that dies, or loses its lock: that is noticed soon.
func brief() redisstore.Options {
	return redisstore.Options{Lease: 300 * time.Millisecond, Interval: 20 * time.Millisecond}
}

// newToken returns a token with that much life left.
func newToken(t *testing.T, access string, left time.Duration) shsession.Token {
	t.Helper()
	token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token": %q, "expires_in": 3600, "expires_at": %f}`,
		access, float64(time.Now().Add(left).UnixMicro())/1e6))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func publish(t *testing.T, s *redisstore.Store, token shsession.Token) {
	t.Helper()
	if err := s.Publish(t.Context(), token); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

// wantLife fails unless the store holds the token with about that much life left.
func wantLife(t *testing.T, s *redisstore.Store, want shsession.Token, left time.Duration) {
	t.Helper()
	got, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if !got.Equal(want) {
		t.Error("Load returned another token")
	}
	// The test takes some time, and so does the way to Redis and back.
	if d := left - got.Remaining(); d.Abs() > time.Minute {
		t.Errorf("the token has %v left, not %v", got.Remaining(), left)
	}
}

func watch(t *testing.T, s *redisstore.Store) shsession.Watch {
	t.Helper()
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatalf("Watch: %v", err)
	}
	t.Cleanup(w.Stop)
	return w
}

// key is a key as tests use it.
func key() shsession.Secret {
	return shsession.NewSecret(strings.Repeat("0123456789abcdef", 4))
}
