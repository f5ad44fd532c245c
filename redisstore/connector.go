package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
)

// A connector has a Store's client. One that Open made makes its client when it is first
// needed, and another when the passwords have changed: go-redis can't change those of its
// Sentinels.
type connector struct {
	newClient func(passwords) redis.UniversalClient // nil if the client is the caller's
	read      func(ctx context.Context) (passwords, error)

	mu     sync.Mutex // guards the fields below
	client redis.UniversalClient
	used   passwords // by client
	closed bool
}

// passwords are those of Redis and of its Sentinels.
type passwords struct{ redis, sentinels string }

// get returns the client.
func (c *connector) get(ctx context.Context) (redis.UniversalClient, error) {
	c.mu.Lock()
	client, closed := c.client, c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return nil, redis.ErrClosed
	case client != nil:
		return client, nil
	}
	return c.replace(ctx, nil)
}

// renew returns another client than old if what failed with err may do better with that:
// old's password was refused, and now there is another, or old has been replaced
// meanwhile.
func (c *connector) renew(ctx context.Context, old redis.UniversalClient, err error) (redis.UniversalClient, error) {
	cause, _ := causeOf(err)
	if c.newClient == nil || !redis.IsAuthError(cause) && !errors.Is(err, redis.ErrClosed) {
		return old, nil
	}
	client, readErr := c.replace(ctx, old)
	if readErr != nil {
		return old, readErr
	}
	return client, nil
}

// replace makes a client with the passwords that there are now, unless old was made with
// the same, and closes old.
func (c *connector) replace(ctx context.Context, old redis.UniversalClient) (redis.UniversalClient, error) {
	now, err := c.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the password of Redis: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, redis.ErrClosed
	}
	if c.client == old && (old == nil || now != c.used) {
		c.client, c.used = c.newClient(now), now
		if old != nil {
			defer old.Close()
		}
	}
	return c.client, nil
}

// close closes a client that isn't the caller's.
func (c *connector) close() error {
	if c.newClient == nil {
		return nil
	}
	c.mu.Lock()
	client := c.client
	c.closed = true
	c.mu.Unlock()
	if client == nil {
		return nil
	}
	return client.Close()
}

// readPasswords returns the passwords that the options have, or say how to read.
func (o Options) readPasswords(ctx context.Context) (p passwords, err error) {
	for _, one := range []struct {
		fixed shsession.Secret
		read  func(context.Context) (shsession.Secret, error)
		to    *string
	}{
		{o.Password, o.ReadPassword, &p.redis},
		{o.SentinelPassword, o.ReadSentinelPassword, &p.sentinels},
	} {
		secret := one.fixed
		if one.read != nil {
			if secret, err = one.read(ctx); err != nil {
				return passwords{}, err
			}
		}
		*one.to = secret.Reveal()
	}
	return p, nil
}
