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
const redisHelp = `Redis is written redis://USER@HOST:6379/0?key=NAME, rediss:// with TLS (and ca=FILE),
redis+sentinel://HOST1,HOST2/0?master=MASTER&key=NAME or redis+cluster://HOST1,HOST2/?key=NAME. Its
password is in SHSESSION_REDIS_PASSWORD or in the file that SHSESSION_REDIS_PASSWORD_FILE names.
SHSESSION_STORE_KEY, or SHSESSION_STORE_KEY_FILE, holds a key that encrypts the token there, the
same for everybody; the word client-secret there means one that follows from the client's secret.
Without it the token isn't encrypted.`

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
