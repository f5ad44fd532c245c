package redisstore_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

// TestACL does everything as the users that the package's doc describes, with its own
// lines, and looks for what was denied.
func TestACL(t *testing.T) {
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		s := startRedis(t)
		setUsers(t, s)
		testUsers(t, []*server{s}, "redis://%s@"+s.addr+"?")
	})
	t.Run("database", func(t *testing.T) {
		s := startRedis(t)
		setUsers(t, s, "+select")
		s.admin.Close() // whose commands are for the same database
		s.admin = redis.NewClient(&redis.Options{Addr: s.addr, DB: 3})
		testUsers(t, []*server{s}, "redis://%s@"+s.addr+"/3?")
	})
	t.Run("Sentinel", func(t *testing.T) {
		s := startRedis(t)
		setUsers(t, s)
		sentinel := startSentinel(t, sentinelConf(t, "sentinel monitor main 127.0.0.1 "+s.port()+" 1\n"))
		setUsers(t, sentinel)
		testUsers(t, []*server{s, sentinel}, "redis+sentinel://%s@"+sentinel.addr+"/0?master=main&sentinel_user=watcher&")
	})
	t.Run("cluster", func(t *testing.T) {
		nodes := startCluster(t, 3)
		for _, s := range nodes {
			setUsers(t, s, "+cluster|slots", "+command", "+asking")
		}
		owner := nodes[ownerOf(t, nodes, tokenKey)]
		testUsers(t, append([]*server{owner}, nodes...), "redis+cluster://%s@"+nodes[0].addr+"/?")
		testMigration(t, nodes)
	})
}

// setUsers makes the documented users, who may do something more that is documented too.
func setUsers(t *testing.T, s *server, more ...any) {
	t.Helper()
	atSentinel := slices.Contains(s.args, "--sentinel") // where the users are others
	for _, user := range documentedUsers(t, more...) {
		if atSentinel == (user[2] == "watcher") {
			s.do(t, append(user, more...)...)
		}
	}
}

// testUsers does what each user may, at the first server, and checks that none of them
// denied anything. %s in the URL is the user's name.
func testUsers(t *testing.T, servers []*server, url string) {
	opts := steady()
	opts.Password, opts.SentinelPassword = shsession.NewSecret("PASSWORD"), shsession.NewSecret("PASSWORD")
	owner := openURL(t, fmt.Sprintf(url, "shsession")+"key=name", opts)
	token := newToken(t, "token", time.Hour)
	exercise(t, servers[0], owner, token)
	if strings.Contains(url, "sentinel") { // whose connection is looked after every three seconds
		testkit.Eventually(t, "the Sentinel is pinged", func() bool {
			list, _ := servers[1].do(t, "CLIENT", "LIST").Text()
			return strings.Contains(list, "cmd=ping user=watcher")
		})
	}
	follower := openURL(t, fmt.Sprintf(url, "follower")+"key=name", opts)
	wantLife(t, follower, token, token.Remaining())
	if _, _, err := follower.Sharers(t.Context()); err != nil {
		t.Errorf("a follower asks who shares: %v", err)
	}
	wantNothingDenied(t, servers...)
	if err := follower.Publish(t.Context(), token); !errors.Is(err, redisstore.ErrACL) {
		t.Errorf("a follower publishes: %v", err)
	}
	for _, user := range []string{"shsession", "follower"} {
		other := openURL(t, fmt.Sprintf(url, user)+"key=other", opts)
		if _, err := other.Load(t.Context()); !errors.Is(err, redisstore.ErrACL) {
			t.Errorf("%s reads another name: %v", user, err)
		}
	}
	for _, s := range servers {
		s.do(t, "ACL", "LOG", "RESET")
	}
}

func wantNothingDenied(t *testing.T, servers ...*server) {
	t.Helper()
	for _, s := range servers {
		if denied, err := s.do(t, "ACL", "LOG").Slice(); err != nil || len(denied) > 0 {
			t.Errorf("something was denied: %v (%v)", denied, err)
		}
	}
}

// testMigration moves the token's hash slot from one node to another. While it is on the
// way, followers read the token, and when it is there everything works.
func testMigration(t *testing.T, nodes []*server) {
	opts := steady()
	opts.Password = shsession.NewSecret("PASSWORD")
	url := "@" + nodes[0].addr + "/?key=name"
	owner, follower := openURL(t, "redis+cluster://shsession"+url, opts), openURL(t, "redis+cluster://follower"+url, opts)
	token := newToken(t, "token", time.Hour)
	publish(t, owner, token)
	wantLife(t, follower, token, time.Hour) // so that both know where it was

	from := nodes[ownerOf(t, nodes, tokenKey)]
	to := nodes[0]
	if to == from {
		to = nodes[1]
	}
	slot := from.do(t, "CLUSTER", "KEYSLOT", tokenKey).Val()
	id := func(s *server) any { return s.do(t, "CLUSTER", "MYID").Val() }
	to.do(t, "CLUSTER", "SETSLOT", slot, "IMPORTING", id(from))
	from.do(t, "CLUSTER", "SETSLOT", slot, "MIGRATING", id(to))
	keys, err := from.do(t, "CLUSTER", "GETKEYSINSLOT", slot, 100).StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	migrate := []any{"MIGRATE", "127.0.0.1", to.port(), "", 0, 5000, "KEYS"}
	for _, key := range keys {
		migrate = append(migrate, key)
	}
	from.do(t, migrate...)
	wantLife(t, follower, token, time.Hour)
	to.do(t, "CLUSTER", "SETSLOT", slot, "NODE", id(to))
	from.do(t, "CLUSTER", "SETSLOT", slot, "NODE", id(to))
	wantLife(t, follower, token, time.Hour)
	if err := owner.Withdraw(t.Context()); err != nil {
		t.Errorf("Withdraw: %v", err)
	}
	exercise(t, to, owner, newToken(t, "next", time.Hour))
	wantNothingDenied(t, nodes...)
}

// ownerOf returns which node has a key's hash slot.
func ownerOf(t *testing.T, nodes []*server, key string) int {
	t.Helper()
	for i, s := range nodes {
		if err := s.admin.Exists(t.Context(), key).Err(); err == nil { // else it has moved
			return i
		}
	}
	t.Fatal("no node has the key's slot")
	return 0
}

// documentedUsers returns the ACL SETUSER commands of the package's doc for a store of
// the name "name", and checks that what is given to users beside is documented too.
func documentedUsers(t *testing.T, more ...any) (users [][]any) {
	t.Helper()
	data, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(data)
	for _, word := range more {
		if !strings.Contains(doc, fmt.Sprint(word)) {
			t.Errorf("%v isn't documented", word)
		}
	}
	for _, rest := range strings.Split(doc, "//\tACL SETUSER ")[1:] {
		rest, _, _ = strings.Cut(rest, "//\n")
		rest = strings.ReplaceAll(strings.ReplaceAll(rest, "//", ""), "NAME", "name")
		user := []any{"ACL", "SETUSER"}
		for _, word := range strings.Fields(rest) {
			user = append(user, word)
		}
		users = append(users, user)
	}
	if len(users) != 3 {
		t.Fatalf("there are %d users in the doc", len(users))
	}
	return users
}
