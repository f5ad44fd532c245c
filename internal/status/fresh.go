package status

import (
	"errors"
	"strings"
)

// ErrExpired: the shared token has expired.
var ErrExpired = errors.New("the shared token has expired")

// NotFresh returns an error if a token isn't kept fresh. It wraps [ErrExpired] if one has expired.
func NotFresh(shares []Share) error {
	var problems []string
	var expired error
	for i := range shares {
		s := &shares[i]
		if problem := s.problem(); problem != "" {
			problems = append(problems, s.Title()+": "+problem)
			if s.State == Expired {
				expired = ErrExpired
			}
		}
	}
	if problems == nil {
		return nil
	}
	return &notFreshError{strings.Join(problems, "; "), expired}
}

// A notFreshError says which tokens aren't kept fresh, and why.
type notFreshError struct {
	text    string
	expired error // nil, or ErrExpired
}

func (e *notFreshError) Error() string { return e.text }
func (e *notFreshError) Unwrap() error { return e.expired }
