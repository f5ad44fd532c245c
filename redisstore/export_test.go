package redisstore

import (
	"context"
	"net"
	"time"

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

	ErrNoCertificate      = errNoCertificate
	ErrCertificateRefused = errCertificateRefused
)

// Wait lets a Store that hasn't been used wait for Redis for so long, instead of two seconds.
func (s *Store) Wait(patience time.Duration) *Store {
	s.patience = patience
	return s
}

// Handshake makes conn a TLS connection to 127.0.0.1, with the files that a URL names.
func Handshake(ctx context.Context, conn net.Conn, ca, cert, certKey string) (net.Conn, error) {
	return tlsFiles{ca, cert, certKey}.handshake(ctx, conn, "127.0.0.1")
}

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
	Name, Master           string
	CA, Cert, CertKey      string
	SentinelUser           string
}

func ParseURL(rawURL string) (URL, error) {
	t, err := parseURL(rawURL)
	return URL{t.tls, t.sentinel, t.cluster, t.user, t.addrs, t.db, t.name, t.master, t.files.ca, t.files.cert, t.files.certKey, t.sentinelUser}, err
}

// Take takes the lock, or keeps it if before is what it returned then.
func (s *Store) Take(ctx context.Context, id, before string) (end string, err error) {
	taken, err := s.take(ctx, id, before)
	if err == nil && taken.holder != "" {
		err = errLockLost
	}
	return taken.end, err
}

// ParseRegistration and ParseNote read what others have written to Redis.
func ParseRegistration(text string) shsession.Sharer           { return parseRegistration(text) }
func ParseNote(text string, life time.Duration) shsession.Note { return parseNote(text, life) }
