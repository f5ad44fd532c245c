package identity

import (
	"crypto/sha256"
	"sync"
	"time"
)

// ledger has every valid token. The API looks tokens up in the ledger and checks no signature,
// except for a token of an earlier Server with the same Options.KeyFile.
type ledger struct {
	mu      sync.Mutex // guards all below
	known   map[[sha256.Size]byte]grant
	sweepAt int  // size at which ended tokens are removed
	closed  bool // whether tokens of earlier Servers count no more
}

type grant struct {
	client  string
	expires time.Time
	revoked bool
}

// aliveAt reports whether the API accepts the token.
func (g grant) aliveAt(now time.Time) bool { return !g.revoked && now.Before(g.expires) }

// minSweep keeps small ledgers from being swept at every entry.
const minSweep = 1024

func (l *ledger) enter(token string, g grant, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known, l.sweepAt = make(map[[sha256.Size]byte]grant), minSweep
	}
	if len(l.known) >= l.sweepAt {
		for key, g := range l.known {
			if !now.Before(g.expires) {
				delete(l.known, key)
			}
		}
		l.sweepAt = max(minSweep, 2*len(l.known))
	}
	l.known[sha256.Sum256([]byte(token))] = g
}

// find returns the grant behind a token that the ledger knows. isClosed reports whether it
// knows every token that counts.
func (l *ledger) find(token string) (g grant, known, isClosed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, known = l.known[sha256.Sum256([]byte(token))]
	return g, known, l.closed
}

// find returns the grant behind a token, and whether it is alive.
func (s *Server) find(token string) (g grant, alive bool) {
	g, known, isClosed := s.ledger.find(token)
	if !known && !isClosed && s.opts.KeyFile != "" {
		g = s.recall(token)
	}
	return g, g.aliveAt(s.now())
}

// recall returns the grant behind a token of an earlier Server with the same key, or none.
func (s *Server) recall(token string) grant {
	claims, err := s.keys.claimsOf(token)
	if err != nil || claims.Type != "Bearer" {
		return grant{}
	}
	if _, ok := s.clients[claims.Client]; !ok {
		return grant{}
	}
	return grant{client: claims.Client, expires: time.Unix(claims.Expiry, 0)}
}

// Revoke ends token: the API refuses it from now on. The client isn't informed.
// It reports whether the token was alive.
func (s *Server) Revoke(token string) bool {
	g, alive := s.find(token)
	if alive {
		g.revoked = true
		s.ledger.enter(token, g, s.now())
	}
	return alive
}

// RevokeAll ends all tokens issued so far, also those of earlier Servers.
func (s *Server) RevokeAll() {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	clear(s.ledger.known)
	s.ledger.closed = true
}
