package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/envsecret"
)

// Open returns the Store that a URL names, with a client of its own that Close closes.
// It doesn't connect yet: if Redis can't be reached, the Store's methods return the error.
//
//	redis://user@host:6379/0?key=NAME
//	rediss://host:6379/0?key=NAME&ca=FILE&cert=FILE&cert_key=FILE
//	redis+sentinel://user@host1:26379,host2:26379/0?master=MASTER&key=NAME&sentinel_user=USER
//	redis+cluster://user@host1:6379,host2:6379/?key=NAME
//
// The user, the ports, the database (0) and every parameter except master are optional.
// rediss, rediss+sentinel and rediss+cluster use TLS. The parameters are
//
//	key            the name of the token; the default is DefaultName
//	master         the Sentinels' name for the Redis
//	sentinel_user  the user who logs in to the Sentinels
//	ca             a file with the certificates (PEM) to trust instead of the system's
//	cert           a file with the client's certificate (PEM), for a Redis that asks for one
//	cert_key       a file with the certificate's private key (PEM), if that isn't in cert
//
// The files are read again at each dial. A password in the URL is refused, and so is an unknown
// scheme or parameter; no error repeats a part of the URL.
func Open(rawURL string, opts Options) (*Store, error) {
	t, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if _, err := t.files.config(); err != nil {
		return nil, err // report a missing file now, not at the first use of the token
	}
	s, err := New(nil, t.name, opts)
	if err != nil {
		return nil, err
	}
	s.place = t.place()
	s.connector.read = opts.readPasswords
	s.connector.newClient = func(p passwords) redis.UniversalClient {
		d := &dialer{tls: t.tls, files: t.files, sentinel: t.sentinel, patience: s.patience}
		client := redis.NewUniversalClient(t.options(p, d))
		d.attach(client)
		return client
	}
	return s, nil
}

// options returns the client's settings. They are for few commands: few connections, which
// stay open while idle, small buffers, no wait longer than d.patience, and no commands at the
// start of a connection that an ACL would have to permit.
func (t target) options(p passwords, d *dialer) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:            t.addrs,
		MasterName:       t.master,
		IsClusterMode:    t.cluster,
		DB:               t.db,
		Username:         t.user,
		Password:         p.redis,
		SentinelUsername: t.sentinelUser,
		SentinelPassword: p.sentinels,
		Dialer:           d.dial,

		ContextTimeoutEnabled: true,
		DialTimeout:           d.patience / 2,
		ReadTimeout:           d.patience / 2,
		WriteTimeout:          d.patience / 2,
		PoolTimeout:           d.patience,
		DialerRetries:         1, // Store.withRetry tries again
		MaxRetries:            -1,

		PoolSize:         16,
		PipelinePoolSize: -1, // no connections of its own for Load
		ReadBufferSize:   8 << 10,
		WriteBufferSize:  8 << 10,
		ConnMaxIdleTime:  -1,

		Protocol:                 2,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// OptionsFromEnv returns Options with the secrets that the environment holds:
//
//	SHSESSION_REDIS_PASSWORD           Password
//	SHSESSION_REDIS_SENTINEL_PASSWORD  SentinelPassword
//	SHSESSION_STORE_KEY                Key
//
// A file can hold each of them instead: its path is in the variable of the same name with
// _FILE at the end. The file holds one line, whose end isn't part of the secret.
// ReadPassword and ReadSentinelPassword read a regular file again.
//
// For the command shsession, the value client-secret of SHSESSION_STORE_KEY stands for the
// key that [ClientKey] derives from its client's secret. OptionsFromEnv returns that word as
// a key, which Open and New refuse: a program calls ClientKey itself.
func OptionsFromEnv() (Options, error) {
	var opts Options
	var errs [3]error
	opts.Password, opts.ReadPassword, errs[0] = envPassword("SHSESSION_REDIS_PASSWORD")
	opts.SentinelPassword, opts.ReadSentinelPassword, errs[1] = envPassword("SHSESSION_REDIS_SENTINEL_PASSWORD")
	key, err := envsecret.Read("SHSESSION_STORE_KEY")
	opts.Key, errs[2] = key.Secret, err
	return opts, errors.Join(errs[:]...)
}

// envPassword reads a password. If the password is in a file that can be read again, read
// does so.
func envPassword(variable string) (now shsession.Secret, read func(context.Context) (shsession.Secret, error), err error) {
	value, err := envsecret.Read(variable)
	if err != nil || value.Info == nil || !value.Info.Mode().IsRegular() {
		return value.Secret, nil, err
	}
	return value.Secret, func(context.Context) (shsession.Secret, error) {
		value, err := envsecret.Read(variable)
		return value.Secret, err
	}, nil
}
