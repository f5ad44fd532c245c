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
	var v *value
	err := s.ask(ctx, func(ctx context.Context) (err error) {
		v, err = s.get(ctx)
		return err
	})
	if errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("%w in Redis as %q", shsession.ErrNotShared, s.name)
	}
	return v, err
}

// get is fetch within the bounds of ctx, whose error is go-redis's.
func (s *Store) get(ctx context.Context) (*value, error) {
	for range 3 {
		asked := time.Now()
		pipe := s.client.Pipeline()
		left := pipe.PTTL(ctx, s.keys.token) // first: if the token is replaced in between, it's the old one's
		get := pipe.Get(ctx, s.keys.token)
		if _, err := pipe.Exec(ctx); err != nil {
			return nil, err
		}
		data, err := get.Bytes()
		v := newValue(data, time.Time{})
		v.asked = asked
		switch {
		case err != nil:
			return nil, err
		case left.Val() >= 0:
			v.expiry = asked.Add(left.Val()).Round(0)
			return v, nil
		case left.Val() == -1:
			return v, nil
		}
		// The token came after the first command, and before the second.
	}
	return nil, redis.Nil // it comes and goes without pause
}

// decode reads the token that v holds. It doesn't live longer than a whole life from now on,
// whatever Redis says: the key's end is a time of day there, so that a replica whose clock is
// wrong ends it at another moment, and whoever can write to Redis can change it.
func (s *Store) decode(v *value) (shsession.Token, error) {
	data, err := s.sealer.open(v.data)
	if err != nil {
		return shsession.Token{}, err
	}
	t, err := shsession.ParseToken(data)
	if err != nil || v.expiry.IsZero() {
		return t, err
	}
	expiry := v.expiry
	if last := v.asked.Add(t.Life()); t.Life() > 0 && expiry.After(last) {
		expiry = last
	}
	return t.WithExpiry(expiry), nil
}
