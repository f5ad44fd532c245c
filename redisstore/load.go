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
// The error wraps shsession.ErrNotShared if there is no token, if it has expired, which
// Redis removes it for, or if what is there is no token. It wraps [ErrWrongKey] if the
// token is encrypted with another key. It wraps both if that is the [ClientKey] of another
// secret of this client: then a member whose secret is accepted may replace the token.
func (s *Store) Load(ctx context.Context) (shsession.Token, error) {
	v, err := s.fetch(ctx)
	if err != nil {
		return shsession.Token{}, err
	}
	return s.decode(ctx, v)
}

// fetch gets the token as it is in Redis. Without an end to the key's life, the
// expiry is the zero time.
func (s *Store) fetch(ctx context.Context) (*value, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var v *value
	err := s.withRetry(ctx, func(ctx context.Context, client redis.UniversalClient) (err error) {
		v, err = s.get(ctx, client)
		return err
	})
	switch {
	case errors.Is(err, redis.Nil):
		return nil, fmt.Errorf("%w in Redis as %q", shsession.ErrNotShared, s.name)
	case redis.HasErrorPrefix(err, "WRONGTYPE "):
		return nil, fmt.Errorf("%w in Redis as %q: what is there is no string", shsession.ErrNotShared, s.name)
	}
	return v, err
}

// get is fetch within the bounds of ctx, whose error is go-redis's.
func (s *Store) get(ctx context.Context, client redis.UniversalClient) (*value, error) {
	for range 3 {
		asked := time.Now()
		pipe := client.Pipeline()
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

// decode reads the token that v holds. It limits the time that is left to the token's whole life
// from now on. Redis keeps the key's end as a time of day: a replica with a wrong clock ends the
// key at another moment, and a user who can write to Redis can change the end.
func (s *Store) decode(ctx context.Context, v *value) (shsession.Token, error) {
	data, err := s.key.open(ctx, v.data, s.holderID(ctx) != "")
	if err != nil {
		return shsession.Token{}, err
	}
	t, err := shsession.ParseToken(data)
	if err != nil {
		return shsession.Token{}, fmt.Errorf("%w in Redis as %q: %w", shsession.ErrNotShared, s.name, err)
	}
	if v.expiry.IsZero() {
		return t, nil
	}
	expiry := v.expiry
	if last := v.asked.Add(t.Life()); t.Life() > 0 && expiry.After(last) {
		expiry = last
	}
	return t.WithExpiry(expiry), nil
}
