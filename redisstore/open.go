package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/shsession/shsession"
)

// Open returns the Store that a URL names, with a client of its own that Close closes.
// It doesn't connect yet: that Redis can't be reached, the Store's methods will say.
//
//	redis://user@host:6379/0?key=NAME
//	rediss://host:6379/0?key=NAME&ca=FILE
//	redis+sentinel://user@host1:26379,host2:26379/0?master=MASTER&key=NAME&sentinel_user=USER
//	redis+cluster://user@host1:6379,host2:6379/?key=NAME
//
// The user, the ports, the database (0), the key (DefaultName), ca and sentinel_user, who logs in to the
// Sentinels, can be left out. rediss is TLS, also as rediss+sentinel and rediss+cluster; ca is a file with the
// certificates (PEM) to trust instead of the system's. A password in the URL is
// refused, and so is what isn't known; no error repeats any of the URL.
func Open(rawURL string, opts Options) (*Store, error) {
	t, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	tlsConfig, err := t.tlsConfig()
	if err != nil {
		return nil, err
	}
	s, err := New(nil, t.name, opts)
	if err != nil {
		return nil, err
	}
	d := &dialer{tls: tlsConfig, sentinel: t.sentinel}
	s.client, s.owned = redis.NewUniversalClient(t.options(opts, d)), true
	d.attach(s.client)
	return s, nil
}

// options returns the client's settings. They are for a command now and then: few
// connections, which stay open however long they idle, small buffers, no wait that outlasts
// patience, and at the start of a connection nothing that an ACL would have to permit.
func (t target) options(opts Options, d *dialer) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:            t.addrs,
		MasterName:       t.master,
		IsClusterMode:    t.cluster,
		DB:               t.db,
		Username:         t.user,
		Password:         opts.Password.Reveal(),
		SentinelUsername: t.sentinelUser,
		SentinelPassword: opts.SentinelPassword.Reveal(),
		Dialer:           d.dial,

		ContextTimeoutEnabled: true,
		DialTimeout:           patience / 2,
		ReadTimeout:           patience / 2,
		WriteTimeout:          patience / 2,
		PoolTimeout:           patience,
		DialerRetries:         1, // it is Store.ask that tries again
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

// tlsConfig returns nil without TLS.
func (t target) tlsConfig() (*tls.Config, error) {
	if !t.tls {
		return nil, nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.ca == "" {
		return config, nil
	}
	pem, err := os.ReadFile(t.ca)
	if err != nil {
		return nil, fmt.Errorf("the Redis URL's ca can't be read: %w", err)
	}
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s, the Redis URL's ca, holds no certificate in PEM form", t.ca)
	}
	return config, nil
}

// OptionsFromEnv returns Options with the secrets that the environment holds:
//
//	SHSESSION_REDIS_PASSWORD           Password
//	SHSESSION_REDIS_SENTINEL_PASSWORD  SentinelPassword
//	SHSESSION_STORE_KEY                Key
//
// Each can also be read from a file, named by the same variable with _FILE
// behind it, less the spaces and line ends around it.
//
// The command shsession takes the word client-secret as SHSESSION_STORE_KEY for the key that [ClientKey]
// makes of its client's secret. Here it's a key that Open and New refuse: a program calls ClientKey itself.
func OptionsFromEnv() (Options, error) {
	var opts Options
	var errs [3]error
	opts.Password, errs[0] = envSecret("SHSESSION_REDIS_PASSWORD")
	opts.SentinelPassword, errs[1] = envSecret("SHSESSION_REDIS_SENTINEL_PASSWORD")
	opts.Key, errs[2] = envSecret("SHSESSION_STORE_KEY")
	return opts, errors.Join(errs[:]...)
}

// envSecret reads a secret from a variable, or the file that another names.
func envSecret(variable string) (shsession.Secret, error) {
	text, path := os.Getenv(variable), os.Getenv(variable+"_FILE")
	switch {
	case path == "":
		return shsession.NewSecret(text), nil
	case text != "":
		return shsession.Secret{}, fmt.Errorf("both %s and %[1]s_FILE are set: which one is meant?", variable)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return shsession.Secret{}, fmt.Errorf("%s_FILE: %w", variable, err)
	}
	if text = strings.TrimSpace(string(data)); text == "" {
		return shsession.Secret{}, fmt.Errorf("%s_FILE: %s is empty", variable, path)
	}
	return shsession.NewSecret(text), nil
}
