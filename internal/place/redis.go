package place

import (
	"context"
	"fmt"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// keyFromClient, as SHSESSION_STORE_KEY, asks for the key that follows from the client's secret. A
// key of one's own is longer than this.
const keyFromClient = "client-secret"

// RedisHelp describes the URLs of Redis, in the help of commands that take a STORE.
const RedisHelp = `Redis is written redis://USER@HOST:6379/0?key=NAME, with Sentinels
redis+sentinel://USER@HOST1,HOST2/0?master=MASTER&key=NAME (and
sentinel_user=USER), and as a Cluster redis+cluster://USER@HOST1,HOST2/?key=NAME.
rediss://, rediss+sentinel:// and rediss+cluster:// are the same with TLS (and
ca=FILE, and cert=FILE and cert_key=FILE for a Redis that asks for a client
certificate). A shell needs quotes around such a URL.

SHSESSION_REDIS_PASSWORD holds the password, SHSESSION_REDIS_SENTINEL_PASSWORD
that of the Sentinels. SHSESSION_STORE_KEY holds a key that encrypts the token in
Redis; every program that shares or reads the token needs the same key. Its value
client-secret stands for a key that is derived from the client's secret. Without
a key the token isn't encrypted. A file can hold each of the three instead: its
path is in the variable of the same name with _FILE at the end.

https://github.com/shsession/shsession/blob/main/docs/cluster.md lists the rights
that a user of Redis needs.`

// openRedis opens redis://… and the other URLs of Redis.
func (o *Opener) openRedis(text string) (shsession.Sink, error) {
	opts, err := redisstore.OptionsFromEnv()
	if err != nil {
		return nil, err
	}
	if opts.Key.Reveal() == keyFromClient {
		if opts.Key, opts.ReadKey, err = o.clientKey(); err != nil {
			return nil, fmt.Errorf("SHSESSION_STORE_KEY=%s: %w", keyFromClient, err)
		}
	}
	o.redisLog.Do(func() { redisstore.LogClient(o.Logger()) })
	return redisstore.Open(text, opts)
}

// clientKey returns the key that follows from the secret of the profile's client, and what makes it
// again of the secret as it is then.
func (o *Opener) clientKey() (now shsession.Secret, read func(context.Context) (shsession.Secret, error), err error) {
	id, secret, err := o.Settings.Secret(context.Background()) // it waits for half a minute at most
	if err != nil {
		return shsession.Secret{}, nil, err
	}
	p, err := o.Settings.Profile()
	if err != nil {
		return shsession.Secret{}, nil, err
	}
	now, err = redisstore.ClientKey(id, secret)
	return now, func(ctx context.Context) (shsession.Secret, error) {
		secret, err := p.ReadSecret(ctx)
		if err != nil {
			return secret, err
		}
		return redisstore.ClientKey(id, secret)
	}, err
}
