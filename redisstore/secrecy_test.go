package redisstore_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

// exercise does everything that can be done with a store that holds nothing.
func exercise(t *testing.T, s *server, store *redisstore.Store, token shsession.Token) {
	t.Helper()
	held, unlock := lock(t, store)
	if err := store.Publish(held, token); err != nil {
		t.Fatalf("Publish: %v", err)
	}
	unlock()
	w := watch(t, store)
	s.do(t, "DEL", "shsession:{name}:token")
	testkit.Eventually(t, "the token is put back", func() bool { return w.Restored() == 1 })
	wantLife(t, store, token, token.Remaining())
	if live, _, err := store.Sharers(t.Context()); err != nil || len(live) != 1 {
		t.Errorf("Sharers: %v, %v", live, err)
	}
	w.Stop()
	if err := store.Withdraw(t.Context()); err != nil {
		t.Errorf("Withdraw: %v", err)
	}
	publish(t, store, token)
}

// TestSecrecy looks for the token in everything that Redis shows and keeps. Without
// a key it is there, so that the search is known to find it.
func TestSecrecy(t *testing.T) {
	t.Parallel()
	for what, key := range map[string]shsession.Secret{"encrypted": key(), "plain": {}} {
		t.Run(what, func(t *testing.T) {
			s := startRedis(t, "--slowlog-log-slower-than", "0", "--slowlog-max-len", "1000", "--rdbcompression", "no")
			monitored := monitor(t, s)
			opts := steady()
			opts.Key = key
			store := s.open(t, "name", opts)
			const access = "the-token-that-nobody-may-see"
			exercise(t, s, store, newToken(t, access, time.Hour))

			s.do(t, "SAVE")
			rdb, err := os.ReadFile(filepath.Join(s.dir, "dump.rdb"))
			if err != nil {
				t.Fatal(err)
			}
			shown := map[string][]byte{
				"RDB file": rdb,
				"slow log": fmt.Append(nil, s.do(t, "SLOWLOG", "GET", "1000").Val()),
				"MONITOR":  monitored(),
			}
			for where, text := range shown {
				if !bytes.Contains(text, []byte("shsession:{name}")) {
					t.Errorf("nothing of the store is in the %s", where)
				}
				if found := bytes.Contains(text, []byte(access)); found != key.IsZero() {
					t.Errorf("the token found in the %s: %v", where, found)
				}
			}
		})
	}
}

// monitor records what MONITOR shows until the function that it returns is called.
func monitor(t *testing.T, s *server) (recorded func() []byte) {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "MONITOR\r\n")
	lines := bufio.NewReader(conn)
	if line, err := lines.ReadString('\n'); err != nil || line != "+OK\r\n" {
		t.Fatalf("MONITOR answers %q, %v", line, err)
	}
	return func() []byte {
		defer conn.Close()
		s.do(t, "ECHO", "the last command")
		var all []byte
		for !bytes.Contains(all, []byte("the last command")) {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, line...)
		}
		return all
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	s.do(t, "CONFIG", "SET", "requirepass", "right")
	for _, password := range []string{"", "hunter2", "right"} {
		store := s.open(t, "name", redisstore.Options{Password: shsession.NewSecret(password)})
		err := store.Publish(t.Context(), newToken(t, "token", time.Hour))
		switch {
		case password == "right" && err != nil:
			t.Errorf("Publish with the password: %v", err)
		case password != "right" && err == nil:
			t.Errorf("Publish with the password %q is no error", password)
		case password != "right" && !errors.Is(err, redisstore.ErrLogin):
			t.Errorf("the error doesn't say what to do: %v", err)
		case password != "" && strings.Contains(fmt.Sprint(err), password):
			t.Errorf("the error shows the password: %v", err)
		}
	}
}
