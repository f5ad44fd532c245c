package redisstore

import (
	"context"

	"github.com/shsession/shsession"
)

// What errors say that the user can do.
var (
	ErrLogin         = errLogin
	ErrACL           = errACL
	ErrReplica       = errReplica
	ErrSentinelLogin = errSentinelLogin
	ErrSentinelACL   = errSentinelACL
	ErrNoMaster      = errNoMaster
	ErrClientKeyWord = errClientKeyWord
)

// Seal and Unseal are what encryption does to a token's JSON.
func Seal(key shsession.Secret, name string, token []byte) ([]byte, error) {
	s, err := newSealer(key, name)
	if err != nil {
		return nil, err
	}
	return s.seal(token), nil
}

func Unseal(key shsession.Secret, name string, data []byte) ([]byte, error) {
	s, err := newSealer(key, name)
	if err != nil {
		return nil, err
	}
	return s.open(data)
}

// A URL is what a Store's URL says.
type URL struct {
	TLS, Sentinel, Cluster bool
	User                   string
	Addrs                  []string
	DB                     int
	Name, Master, CA       string
	SentinelUser           string
}

func ParseURL(rawURL string) (URL, error) {
	t, err := parseURL(rawURL)
	return URL{t.tls, t.sentinel, t.cluster, t.user, t.addrs, t.db, t.name, t.master, t.ca, t.sentinelUser}, err
}

// Take takes the lock, or keeps it if before is what it returned then.
func (s *Store) Take(ctx context.Context, id, before string) (end string, err error) {
	holder, end, err := s.take(ctx, id, before)
	if err == nil && holder != "" {
		err = errLockLost
	}
	return end, err
}
