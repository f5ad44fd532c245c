package shsession

import "time"

// listen asks for a notice on c whenever the session has a new token.
func (s *Session) listen(c chan<- struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners == nil {
		s.listeners = map[chan<- struct{}]struct{}{}
	}
	s.listeners[c] = struct{}{}
}

func (s *Session) unlisten(c chan<- struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, c)
}

// withhold keeps what the flight under way brings, if there is one, from the store that
// the session joins in: a Sharing that ends withdraws the token there, for good.
func (s *Session) withhold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flight != nil {
		s.flight.withheld.Store(true)
	}
}

// offer gives the session a token that was found in a store. It is taken if it's valid,
// wasn't refused, and outlives the session's.
func (s *Session) offer(t Token) {
	if s.accept(t) {
		go s.announce(t) // which may block, or close the Sharing that offers
	}
}

// accept makes an offered token the session's, if it's better, and reports whether it is.
func (s *Session) accept(t Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, offered := s.cur.Load(), s.entryFor(t)
	switch {
	case !offered.valid(time.Now().UnixNano()), again(t, s.refused), again(t, e.token):
		return false
	}
	if !e.rejected && !outlives(t, e.token) {
		return false
	}
	s.install(t)
	s.gate.open()
	if f := s.flight; f != nil {
		f.relief.Do(func() { close(f.relieved) })
	}
	return true
}

// again reports whether t is u, and no longer valid than that.
func again(t, u Token) bool { return t.Equal(u) && !t.extends(u) }

// outlives reports which of two tokens sharers of one client agree to keep.
func outlives(t, u Token) bool {
	if t.ExpiresAt().Equal(u.ExpiresAt()) {
		return t.AccessToken() > u.AccessToken()
	}
	return t.ExpiresAt().After(u.ExpiresAt())
}
