package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// silent returns the address of a server that takes connections and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// answers returns the address of a server that answers every command in the same words.
func answers(t *testing.T, words string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for buf := make([]byte, 4096); ; {
					n, err := conn.Read(buf)
					if err != nil {
						return
					}
					for range strings.Count("\n"+string(buf[:n]), "\n*") { // of commands
						fmt.Fprint(conn, words+"\r\n")
					}
				}
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// TestUnavailable tells what may pass by itself from what somebody has to mend, and says
// of that what to do.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	protected := startRedis(t, "--requirepass", "right")
	open := startRedis(t)
	replica := startRedis(t, "--replicaof", "127.0.0.1 "+protected.port())
	sentinel := startSentinel(t, sentinelConf(t, "sentinel monitor main 127.0.0.1 "+open.port()+" 1\nrequirepass right\n"))
	var all sync.WaitGroup
	for _, test := range []struct {
		what, url string
		want      error
	}{
		{"refused", "redis://" + nobody, redisstore.ErrUnavailable},
		{"refused, TLS", "rediss://" + nobody, redisstore.ErrUnavailable},
		{"refused, cluster", "redis+cluster://" + nobody, redisstore.ErrUnavailable},
		{"silent", "redis://" + silent(t), redisstore.ErrUnavailable},
		{"silent, TLS", "rediss://" + silent(t), redisstore.ErrUnavailable},
		{"no such host", "redis://no-such-host.invalid", redisstore.ErrUnavailable},
		{"loading", "redis://" + answers(t, "-LOADING Redis is loading the dataset in memory"), redisstore.ErrUnavailable},
		{"too many clients", "redis://" + answers(t, "-ERR max number of clients reached"), redisstore.ErrUnavailable},
		{"full", "redis://" + answers(t, "-OOM command not allowed when used memory > 'maxmemory'."), redisstore.ErrUnavailable},
		{"can't save", "redis://" + answers(t, "-MISCONF Redis is configured to save RDB snapshots"), redisstore.ErrUnavailable},
		{"can't save, Redis 6", "redis://" + answers(t, "-ERR Error running script (call to f_1): @user_script:1: -MISCONF Redis is"), redisstore.ErrUnavailable},
		{"cluster down", "redis+cluster://" + startRedis(t, "--cluster-enabled", "yes").addr, redisstore.ErrUnavailable},
		{"no Sentinel", "redis+sentinel://" + nobody + "?master=main", redisstore.ErrUnavailable},
		{"silent Sentinels", "redis+sentinel://" + silent(t) + "," + silent(t) + "?master=main", redisstore.ErrUnavailable},

		{"no password", "redis://" + protected.addr, redisstore.ErrLogin},
		{"a replica", "redis://" + replica.addr, redisstore.ErrReplica},
		{"no Sentinel's password", "redis+sentinel://" + sentinel.addr + "?master=main", redisstore.ErrSentinelLogin},
	} {
		all.Go(func() { testUnavailable(t, test.what, test.url, test.want) })
	}
	all.Wait()
}

func testUnavailable(t *testing.T, what, url string, want error) {
	store, err := redisstore.Open(url, redisstore.Options{})
	if err != nil {
		t.Error(err)
		return
	}
	defer store.Close()
	err = store.Publish(t.Context(), newToken(t, "token", time.Hour))
	if !errors.Is(err, want) || errors.Is(err, redisstore.ErrUnavailable) != (want == redisstore.ErrUnavailable) {
		t.Errorf("%s: the error is %v, want one that says: %v", what, err, want)
	}
	if _, err := store.Load(t.Context()); err == nil || errors.Is(err, shsession.ErrNotShared) != (want == redisstore.ErrReplica) {
		t.Errorf("%s: Load: %v", what, err)
	}
}

// TestLoading has Redis load its data for a minute, in which it answers that.
func TestLoading(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	s.do(t, "EVAL", "for i = 1, 30000 do redis.call('SET', 'key' .. i, i) end", 0)
	s.do(t, "SAVE")
	s.stop()
	s.args = append(s.args, "--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024")
	if !s.start(t) {
		t.Fatal("Redis doesn't start again")
	}
	_, err := s.open(t, "name", steady()).Load(t.Context())
	if !errors.Is(err, redisstore.ErrUnavailable) || !redis.IsLoadingError(err) {
		t.Errorf("the error is %v, want ErrUnavailable because Redis is loading", err)
	}
}

// sentinelConf writes a configuration for a Sentinel, which it rewrites.
func sentinelConf(t *testing.T, lines string) string {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(conf, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	return conf
}

// TestSentinelUsers logs in to a Sentinel as the default user, and as one of a name.
func TestSentinelUsers(t *testing.T) {
	t.Parallel()
	master := startRedis(t)
	sentinel := startSentinel(t, sentinelConf(t, "sentinel monitor main 127.0.0.1 "+master.port()+" 1\n"+
		"requirepass right\nuser somebody on >theirs allchannels +@all\nuser nobody on >theirs -@all\n"))
	for _, test := range []struct {
		query, password string
		want            error
	}{
		{"master=main", "right", nil},
		{"master=main", "hunter2", redisstore.ErrSentinelLogin},
		{"master=main", "", redisstore.ErrSentinelLogin},
		{"master=main&sentinel_user=somebody", "theirs", nil},
		{"master=main&sentinel_user=somebody", "hunter2", redisstore.ErrSentinelLogin},
		{"master=main&sentinel_user=nobody", "theirs", redisstore.ErrSentinelACL},
		{"master=other", "right", redisstore.ErrNoMaster},
	} {
		store := openURL(t, "redis+sentinel://"+sentinel.addr+"?"+test.query, redisstore.Options{SentinelPassword: shsession.NewSecret(test.password)})
		err := store.Publish(t.Context(), newToken(t, "token", time.Hour))
		if test.want == nil && err != nil || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s with password %q: %v, want %v", test.query, test.password, err, test.want)
		}
		if strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// TestBackSoon: however long Redis was away, the first look after it is back finds it.
// There is no limit to what fails meanwhile.
func TestBackSoon(t *testing.T) {
	t.Parallel()
	for what, url := range map[string]func(t *testing.T, s *server) string{
		"single": func(_ *testing.T, s *server) string { return "redis://" + s.addr },
		"Sentinel": func(t *testing.T, s *server) string {
			sentinel := startSentinel(t, sentinelConf(t, "sentinel monitor main 127.0.0.1 "+s.port()+" 1\n"))
			return "redis+sentinel://" + sentinel.addr + "?master=main"
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := startRedis(t)
			store := openURL(t, url(t, s), redisstore.Options{})
			s.stop()
			for range 30 { // more dials than the client's pool has room for
				if _, err := store.Load(t.Context()); !errors.Is(err, redisstore.ErrUnavailable) {
					t.Fatalf("Load without a Redis: %v, want ErrUnavailable", err)
				}
				hasty, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				_, _ = store.Load(hasty) // which doesn't wait for its connection
				cancel()
			}
			if !s.start(t) {
				t.Fatal("Redis doesn't start again")
			}
			if _, err := store.Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
				t.Errorf("the first Load with a Redis: %v, want ErrNotShared", err)
			}
		})
	}
}
