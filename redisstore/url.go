package redisstore

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A target is where a URL says that the token is.
type target struct {
	tls      bool
	sentinel bool
	cluster  bool
	user     string
	addrs    []string // host:port
	db       int
	name     string
	master   string
	files    tlsFiles

	sentinelUser string
}

// Place returns a text that is the same for all URLs of the same token, for every user and
// with or without TLS, and false if Open doesn't take rawURL. Two names of one host are two
// places.
func Place(rawURL string) (place string, ok bool) {
	t, err := parseURL(rawURL)
	if err != nil {
		return "", false
	}
	return t.place(), true
}

func (t target) place() string {
	addrs := slices.Sorted(slices.Values(t.addrs))
	return fmt.Sprintf("redis://%s/%d?key=%s&master=%s", strings.Join(addrs, ","), t.db, t.name, t.master)
}

// SamePlace reports whether two Stores that Open returned are of the same token, for every
// user and with or without TLS. Two names of one host are two places.
func (s *Store) SamePlace(other *Store) bool {
	return s == other || s.place != "" && s.place == other.place
}

// parseURL reads the URL of a Store. Package net/url can't, since it has no URLs with several
// hosts. No error repeats a part of the URL: the part that is wrong may be a password.
func parseURL(rawURL string) (target, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return target{}, errors.New("the Redis URL has no ://, as in redis://host:6379/0?key=NAME")
	}
	var t target
	defaultPort := "6379"
	scheme, kind, _ := strings.Cut(scheme, "+")
	switch t.tls = scheme == "rediss"; {
	case scheme != "redis" && scheme != "rediss":
		kind = "unknown"
	case kind == "sentinel":
		t.sentinel, defaultPort = true, "26379"
	case kind == "cluster":
		t.cluster = true
	}
	if kind == "unknown" || kind != "" && !t.sentinel && !t.cluster {
		return target{}, errors.New("the scheme of the Redis URL is not redis, redis+sentinel or redis+cluster, nor rediss for any of them, in small letters")
	}
	if strings.Contains(rest, "#") {
		return target{}, errors.New("the Redis URL has a # in it, which means nothing there")
	}
	rest, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(rest, "/")
	if err := t.setAuthority(authority, defaultPort); err != nil {
		return target{}, err
	}
	if err := t.setDB(path); err != nil {
		return target{}, err
	}
	return t, t.setQuery(query)
}

// setAuthority reads user@host:port,host:port.
func (t *target) setAuthority(authority, defaultPort string) error {
	hosts := authority
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		user, err := url.PathUnescape(authority[:i])
		switch {
		case strings.Contains(authority[:i], ":"):
			return errors.New("the Redis URL has a password in it, where others could see it: " +
				"set SHSESSION_REDIS_PASSWORD, or SHSESSION_REDIS_PASSWORD_FILE to a file that holds it")
		case err != nil:
			return errors.New("the user in the Redis URL has a % that isn't followed by two hexadecimal digits")
		}
		t.user, hosts = user, authority[i+1:]
	}
	for host := range strings.SplitSeq(hosts, ",") {
		addr, ok := parseAddr(host, defaultPort)
		if !ok {
			return errors.New("the Redis URL needs a host, or host:port, behind the ://")
		}
		t.addrs = append(t.addrs, addr)
	}
	if len(t.addrs) > 1 && !t.sentinel && !t.cluster {
		return errors.New("the Redis URL has several hosts: that takes redis+sentinel:// or redis+cluster://")
	}
	return nil
}

// parseAddr reads host, host:port, [IPv6] or [IPv6]:port.
func parseAddr(s, defaultPort string) (addr string, ok bool) {
	if strings.HasSuffix(s, "]") || !strings.Contains(s, ":") {
		s += ":" + defaultPort
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	isIP := net.ParseIP(host) != nil
	if err != nil || n == 0 || host == "" || !isIP && strings.ContainsFunc(host, notInHostName) {
		return "", false
	}
	return net.JoinHostPort(host, port), true
}

func notInHostName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
}

// setDB reads the path, which is the number of the database.
func (t *target) setDB(path string) error {
	if path == "" {
		return nil
	}
	n, err := strconv.ParseUint(path, 10, 16)
	if err != nil {
		return errors.New("the path of the Redis URL is not the number of a database, as in /0")
	}
	if t.cluster && n != 0 {
		return errors.New("a Redis Cluster has only database 0")
	}
	t.db = int(n)
	return nil
}

// setQuery reads key=NAME and so on.
func (t *target) setQuery(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the query of the Redis URL can't be read: it looks like key=NAME&ca=FILE")
	}
	t.name = DefaultName
	for key, all := range values {
		if len(all) != 1 || all[0] == "" {
			return errors.New("a parameter of the Redis URL is empty or there twice")
		}
		switch value := all[0]; {
		case key == "key":
			t.name = value
		case key == "ca" && t.tls:
			t.files.ca = value
		case key == "cert" && t.tls:
			t.files.cert = value
		case key == "cert_key" && t.tls:
			t.files.certKey = value
		case key == "ca" || key == "cert" || key == "cert_key":
			return fmt.Errorf("the Redis URL has %s=, which takes rediss://", key)
		case key == "master" && t.sentinel:
			t.master = value
		case key == "sentinel_user" && t.sentinel:
			t.sentinelUser = value
		default:
			return errors.New("the Redis URL has a parameter that isn't known: there are key, with rediss ca, cert and cert_key, " +
				"and with +sentinel master and sentinel_user; a password goes into SHSESSION_REDIS_PASSWORD")
		}
	}
	if t.sentinel && t.master == "" {
		return errors.New("the Redis URL needs master=, the name by which the Sentinels know the Redis")
	}
	if t.files.certKey != "" && t.files.cert == "" {
		return errors.New("the Redis URL has cert_key=, which takes cert=")
	}
	return checkName(t.name)
}
