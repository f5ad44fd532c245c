package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
)

// Load returns the token, in one round trip of two commands. Its expiry is this
// machine's time before the request plus the life that Redis says the key has left, so
// that the machines' clocks needn't agree.
//
// The error wraps shsession.ErrNotShared if there is no token or it has expired,
// which Redis removes it for, and [ErrWrongKey] if it is there under another key.
func (s *Store) Load(ctx context.Context) (shsession.Token, error) {
	v, err := s.fetch(ctx)
	if err != nil {
		return shsession.Token{}, err
	}
	return s.decode(v)
}

// fetch gets the token as it is in Redis. Without an end to the key's life, the
// expiry is the zero time.
func (s *Store) fetch(ctx context.Context) (*value, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for range 3 {
		asked := time.Now()
		pipe := s.client.Pipeline()
		left := pipe.PTTL(bounded, s.keys.token) // first: if the token is replaced in between, it's the old one's
		get := pipe.Get(bounded, s.keys.token)
		if _, err := pipe.Exec(bounded); err != nil && !errors.Is(err, redis.Nil) {
			return nil, explain(ctx, err)
		}
		data, err := get.Bytes()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w in Redis as %q", shsession.ErrNotShared, s.name)
		case left.Val() == -1:
			return newValue(data, time.Time{}), nil
		case left.Val() >= 0:
			return newValue(data, asked.Add(left.Val())), nil
		}
		// The token came after the first command, and before the second.
	}
	return nil, fmt.Errorf("the token %q comes and goes in Redis without pause: %w", s.name, shsession.ErrNotShared)
}

// decode reads the token that v holds.
func (s *Store) decode(v *value) (shsession.Token, error) {
	data, err := s.sealer.open(v.data)
	if err != nil {
		return shsession.Token{}, err
	}
	t, err := shsession.ParseToken(data)
	if err != nil || v.expiry.IsZero() {
		return t, err
	}
	return t.WithExpiry(v.expiry), nil
}
