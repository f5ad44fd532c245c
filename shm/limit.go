package shm

import "github.com/shsession/shsession/ratelimit"

// Limits returns the state of a rate limit that this user's processes keep in a file beside
// the token, under a lock of its own. The file doesn't need a token. It stays until Remove, or
// until Sweep if it wasn't used for 40 days.
func (s *Store) Limits() ratelimit.State { return s.in.Limits() }
