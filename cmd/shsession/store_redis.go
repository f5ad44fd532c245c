package main

import (
	"fmt"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// keyFromClient, as SHSESSION_STORE_KEY, asks for the key that follows from the client's secret. A
// key of one's own is longer than this.
const keyFromClient = "client-secret"

// redisHelp is what a command that takes a STORE says of Redis in its help.
const redisHelp = `Redis is written redis://USER@HOST:6379/0?key=NAME, with Sentinels
redis+sentinel://USER@HOST1,HOST2/0?master=MASTER&key=NAME (and sentinel_user=USER), and as a Cluster
redis+cluster://USER@HOST1,HOST2/?key=NAME. rediss://, rediss+sentinel:// and rediss+cluster:// are the
same with TLS (and ca=FILE). A shell wants quotes around such a URL. The password is in
SHSESSION_REDIS_PASSWORD, that of the Sentinels in SHSESSION_REDIS_SENTINEL_PASSWORD.
SHSESSION_STORE_KEY holds a key that encrypts the token there, the same for everybody; the word
client-secret there means one that follows from the client's secret. Without it the token isn't
encrypted. Each of the three can also be in a file, which the variable with _FILE behind it names.
What a user of Redis has to be permitted is in
https://github.com/shsession/shsession/blob/main/docs/cluster.md.`

// openRedis opens redis://… and its kin.
func (a *app) openRedis(text string) (shsession.Sink, error) {
	opts, err := redisstore.OptionsFromEnv()
	if err != nil {
		return nil, err
	}
	if opts.Key.Reveal() == keyFromClient {
		if opts.Key, err = a.clientKey(); err != nil {
			return nil, fmt.Errorf("SHSESSION_STORE_KEY=%s: %w", keyFromClient, err)
		}
	}
	a.redisLog.Do(func() { redisstore.LogClient(a.logger()) })
	return redisstore.Open(text, opts)
}

// clientKey returns the key that follows from the secret of the profile's client.
func (a *app) clientKey() (shsession.Secret, error) {
	p, err := a.settings()
	if err != nil {
		return shsession.Secret{}, err
	}
	if p.ClientID == "" || p.ClientSecret.IsZero() {
		return shsession.Secret{}, missingCredentials(p)
	}
	return redisstore.ClientKey(p.ClientID, p.ClientSecret)
}
