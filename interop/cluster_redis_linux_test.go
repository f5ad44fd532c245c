package interop_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A redisServer is a redis-server on a host of a lan. Killed and started again it is empty.
type redisServer struct {
	lan   *lan
	host  int
	addr  string
	dir   string
	args  []string
	cmd   *exec.Cmd
	admin *redis.Client
}

// startRedis starts a redis-server that ends with the test. args go before the usual ones.
func (l *lan) startRedis(t *testing.T, host, port int, args ...string) *redisServer {
	t.Helper()
	needProgram(t, "redis-server")
	s := &redisServer{lan: l, host: host, addr: net.JoinHostPort(l.addr(host), strconv.Itoa(port)), dir: t.TempDir()}
	s.args = append(args, "--port", strconv.Itoa(port), "--bind", l.addr(host), "--protected-mode", "no",
		"--dir", s.dir, "--logfile", filepath.Join(s.dir, "log"))
	s.admin = redis.NewClient(&redis.Options{Addr: s.addr, MaxRetries: -1, DialerRetries: 1, Dialer: l.dialer(host)})
	t.Cleanup(func() {
		s.kill()
		s.admin.Close()
	})
	s.start(t)
	return s
}

// dialer dials from a host.
func (l *lan) dialer(host int) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (conn net.Conn, err error) {
		err = l.on(host, func() error {
			var dialer net.Dialer
			conn, err = dialer.DialContext(ctx, network, addr)
			return err
		})
		return conn, err
	}
}

func (s *redisServer) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	s.cmd.Stderr = os.Stderr
	if err := s.lan.start(s.host, s.cmd); err != nil {
		t.Fatal(err)
	}
	soon(t, "redis-server at "+s.addr+" answers", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return s.admin.Ping(ctx).Err() == nil
	})
}

// kill ends the server, which saves nothing.
func (s *redisServer) kill() {
	_ = s.cmd.Process.Kill() // once killed, it can be killed again
	_ = s.cmd.Wait()
}

// do runs a command as the server's administrator.
func (s *redisServer) do(t *testing.T, args ...any) *redis.Cmd {
	t.Helper()
	cmd := s.admin.Do(t.Context(), args...)
	if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
		t.Fatalf("%v: %v", args[0], err)
	}
	return cmd
}
