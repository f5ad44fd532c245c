package identity

import (
	"crypto/sha256"
	"sync"
	"time"
)

// ledger knows every token that is alive. A token is worth what the ledger says, so the API needs no signature check and a
// revoked token is simply not there.
type ledger struct {
	mu      sync.Mutex // guards all below
	live    map[[sha256.Size]byte]grant
	sweepAt int // size at which ended tokens are removed
}

type grant struct {
	client  string
	expires time.Time
}

// minSweep keeps small ledgers from being swept at every entry.
const minSweep = 1024

func (l *ledger) enter(token string, g grant, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live == nil {
		l.live, l.sweepAt = make(map[[sha256.Size]byte]grant), minSweep
	}
	if len(l.live) >= l.sweepAt {
		for key, g := range l.live {
			if !now.Before(g.expires) {
				delete(l.live, key)
			}
		}
		l.sweepAt = max(minSweep, 2*len(l.live))
	}
	l.live[sha256.Sum256([]byte(token))] = g
}

// find returns the grant behind token if it is alive at now.
func (l *ledger) find(token string, now time.Time) (grant, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.live[sha256.Sum256([]byte(token))]
	return g, ok && now.Before(g.expires)
}

// Revoke ends token: the API refuses it from now on. The client that holds it isn't told.
// It reports whether the token was alive.
func (s *Server) Revoke(token string) bool {
	l := &s.ledger
	_, alive := l.find(token, s.now())
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.live, sha256.Sum256([]byte(token)))
	return alive
}

// RevokeAll ends all tokens issued so far.
func (s *Server) RevokeAll() {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	clear(s.ledger.live)
}
