package redisstore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// TestPasswordRotated: Redis's password is changed, and then the file that has it.
func TestPasswordRotated(t *testing.T) {
	s := startRedis(t, "--requirepass", "first")
	file := filepath.Join(t.TempDir(), "password")
	write := func(password string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	t.Setenv("SHSESSION_REDIS_PASSWORD", "")
	t.Setenv("SHSESSION_REDIS_PASSWORD_FILE", file)
	opts, err := redisstore.OptionsFromEnv()
	if err != nil {
		t.Fatal(err)
	}
	store := s.open(t, "name", opts)
	publish(t, store, newToken(t, "token", time.Hour))

	admin := s.as(t, "first")
	if err := admin.ConfigSet(t.Context(), "requirepass", "second").Err(); err != nil {
		t.Fatal(err)
	}
	cut := func() { // so that the Store has to log in again
		t.Helper()
		if err := s.as(t, "second").Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal").Err(); err != nil {
			t.Fatal(err)
		}
	}
	cut()
	if err := store.Publish(t.Context(), newToken(t, "token", time.Hour)); !errors.Is(err, redisstore.ErrLogin) {
		t.Errorf("Publish with the old password: %v, want what to do", err)
	}
	write("second")
	publish(t, store, newToken(t, "token", time.Hour))
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	publish(t, store, newToken(t, "token", time.Hour)) // over the connection that there is
}

// TestReadPassword: a password is read before the first login and after a refusal, and
// not beside that.
func TestReadPassword(t *testing.T) {
	t.Parallel()
	s := startRedis(t, "--requirepass", "right")
	var reads atomic.Int64
	unreadable := errors.New("unreadable")
	store := s.open(t, "name", redisstore.Options{ReadPassword: func(context.Context) (shsession.Secret, error) {
		switch reads.Add(1) {
		case 1:
			return shsession.Secret{}, unreadable
		case 2:
			return shsession.NewSecret("wrong"), nil
		}
		return shsession.NewSecret("right"), nil
	}})
	if reads.Load() != 0 {
		t.Error("Open reads the password")
	}
	if _, err := store.Load(t.Context()); !errors.Is(err, unreadable) || errors.Is(err, redisstore.ErrUnavailable) {
		t.Errorf("Load with a password that can't be read: %v", err)
	}
	for range 3 {
		publish(t, store, newToken(t, "token", time.Hour))
	}
	if n := reads.Load(); n != 3 {
		t.Errorf("the password was read %d times, not 3", n)
	}
}

// TestSentinelPasswordRotated: go-redis's client of Sentinels can't take another
// password.
func TestSentinelPasswordRotated(t *testing.T) {
	t.Parallel()
	master := startRedis(t)
	sentinel := startSentinel(t, sentinelConf(t, "sentinel monitor main 127.0.0.1 "+master.port()+" 1\nrequirepass right\n"))
	var password atomic.Value
	password.Store("wrong")
	store := openURL(t, "redis+sentinel://"+sentinel.addr+"?master=main", redisstore.Options{
		ReadSentinelPassword: func(context.Context) (shsession.Secret, error) {
			return shsession.NewSecret(password.Load().(string)), nil
		},
	})
	if _, err := store.Load(t.Context()); !errors.Is(err, redisstore.ErrSentinelLogin) {
		t.Errorf("Load with a wrong password: %v, want what to do", err)
	}
	password.Store("right")
	publish(t, store, newToken(t, "token", time.Hour))
}
