package redisstore_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession/redisstore"
)

func TestURL(t *testing.T) {
	for raw, want := range map[string]redisstore.URL{
		"redis://host": {Addrs: []string{"host:6379"}, Name: "sh-session-token"},
		"redis://user@host:1234/7?key=NAME": {
			User: "user", Addrs: []string{"host:1234"}, DB: 7, Name: "NAME"},
		"rediss://10.0.0.1/?ca=%2Fetc%2Fca.pem&key=a/b": {
			TLS: true, Addrs: []string{"10.0.0.1:6379"}, CA: "/etc/ca.pem", Name: "a/b"},
		"rediss://host?cert=c.pem&cert_key=%2Fk.pem": {
			TLS: true, Addrs: []string{"host:6379"}, Name: "sh-session-token", Cert: "c.pem", CertKey: "/k.pem"},
		"redis://us%40er@[::1]:1/": {User: "us@er", Addrs: []string{"[::1]:1"}, Name: "sh-session-token"},
		"redis://[fe80::1]":        {Addrs: []string{"[fe80::1]:6379"}, Name: "sh-session-token"},
		"redis+sentinel://a,b:2,c/3?master=mymaster&key=n&sentinel_user=s%40": {
			Sentinel: true, Addrs: []string{"a:26379", "b:2", "c:26379"}, DB: 3, Master: "mymaster", Name: "n", SentinelUser: "s@"},
		"rediss+cluster://u@a:1,b:2?key=n": {
			TLS: true, Cluster: true, User: "u", Addrs: []string{"a:1", "b:2"}, Name: "n"},
	} {
		got, err := redisstore.ParseURL(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

// badURLs are URLs to refuse. Wherever a password can be put by mistake, it's hunter2.
var badURLs = []string{
	"", "redis", "redis:", "redis:host", "hunter2", "http://host", "redis+x://host", "redisx+sentinel://host",
	"hunter2://host", "redis://", "redis:///0", "redis://:6379", "redis://host:0", "redis://host:65536", "redis://host:hunter2",
	"redis://host:", "redis://ho st", "redis://::1", "redis://[::1", "redis://a,b", "redis://a,", "redis+cluster://a,,b",
	"redis://user:hunter2@host", "redis://:hunter2@host", "redis://user:hunt/er2@host", "redis://user:hunter2?@host",
	"redis://user:hunter2#@host", "redis://user:h@hunter2@host", "redis://%zzhunter2@host", "redis://user:@host",
	"redis://host/x", "redis://host/-1", "redis://host/0/1", "redis://host/hunter2", "redis+cluster://host/1",
	"redis://host?password=hunter2", "redis://host?hunter2", "redis://host?key=", "redis://host?key=a&key=b",
	"redis://host?key=%zzhunter2", "redis://host?key=a;hunter2", "redis://host?key=a%20b", "redis://host?key={a}",
	"redis://host?ca=x", "redis://host?master=x", "redis+sentinel://host", "redis+sentinel://host?master=",
	"redis://host#hunter2", "redis://host/0#x", "REDIS://host", "Rediss://host", "redis+Sentinel://host?master=x",
	"redis://host?cert=x", "redis://host?cert=x&cert_key=x", "rediss://host?cert_key=x", "rediss://host?cert=",
	"redis://host?sentinel_user=x", "redis+sentinel://host?master=x&sentinel_user=",
}

func TestURLRefused(t *testing.T) {
	for _, raw := range badURLs {
		_, err := redisstore.Open(raw, redisstore.Options{})
		if err == nil {
			t.Errorf("%q is accepted", raw)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error shows the password: %v", raw, err)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, raw := range badURLs {
		f.Add(raw)
	}
	f.Add("redis+sentinel://user@a,b:2,[::1]:3/3?master=m&key=n")
	f.Add("rediss://user@host:1234/7?key=NAME&ca=FILE")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := redisstore.ParseURL(raw)
		if err != nil {
			if strings.Contains(err.Error(), "hunter2") && !strings.Contains(raw, "key=") {
				t.Errorf("%q: the error shows the password: %v", raw, err)
			}
			return
		}
		authority, _, _ := strings.Cut(strings.SplitN(raw, "://", 2)[1], "/")
		if user, _, ok := strings.Cut(authority, "@"); ok && strings.Contains(user, ":") && !strings.Contains(user, "?") {
			t.Errorf("a password is accepted in %q", raw)
		}
		if len(u.Addrs) == 0 || u.Name == "" || u.DB < 0 || u.Sentinel && u.Cluster || u.Sentinel != (u.Master != "") {
			t.Errorf("%q means %+v", raw, u)
		}
	})
}

// One token has one place, however its URL is written.
func TestPlace(t *testing.T) {
	place := func(rawURL string) string {
		t.Helper()
		p, ok := redisstore.Place(rawURL)
		if !ok {
			t.Errorf("%s has no place", rawURL)
		}
		return p
	}
	want := place("redis://host")
	for _, same := range []string{"redis://host:6379", "redis://me@host/0", "rediss://host/?key=sh-session-token"} {
		if got := place(same); got != want {
			t.Errorf("%s is at %s, and redis://host at %s", same, got, want)
		}
	}
	for _, other := range []string{"redis://host/1", "redis://host:6380", "redis://other", "redis://host?key=other"} {
		if place(other) == want {
			t.Errorf("%s is at the place of redis://host", other)
		}
	}
	if a, b := place("redis+cluster://a,b"), place("redis+cluster://b,a"); a != b {
		t.Errorf("the order of the hosts makes two places, %s and %s", a, b)
	}
	if p, ok := redisstore.Place("shm:redis"); ok {
		t.Errorf("shm:redis is at %s", p)
	}
}

// Two Stores that Open returned are compared by what their URLs name.
func TestSamePlace(t *testing.T) {
	open := func(rawURL string) *redisstore.Store {
		t.Helper()
		store, err := redisstore.Open(rawURL, redisstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { store.Close() })
		return store
	}
	one := open("redis://host")
	for rawURL, want := range map[string]bool{
		"redis://host:6379": true, "redis://me@host/0": true, "rediss://host/?key=sh-session-token": true,
		"redis://host/1": false, "redis://other": false, "redis://host?key=other": false,
	} {
		if got := one.SamePlace(open(rawURL)); got != want {
			t.Errorf("redis://host and %s: %t", rawURL, got)
		}
	}
}
