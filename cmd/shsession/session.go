package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
	"github.com/shsession/shsession/shm"
)

// settings returns the profile in force, and tells its warnings the first time.
func (a *app) settings() (shconfig.Profile, error) {
	if a.loaded != nil {
		return *a.loaded, nil
	}
	p, err := shconfig.Load(shconfig.Options{File: a.config, Profile: a.profile, Preset: a.preset})
	if err != nil {
		return p, err
	}
	for _, warning := range p.Warnings {
		a.warn(warning)
	}
	a.loaded = &p
	return p, nil
}

// loginConfig returns the profile in force as the config of a session that logs in.
func (a *app) loginConfig() (shsession.Config, error) {
	p, err := a.settings()
	if err != nil {
		return shsession.Config{}, err
	}
	if p.ClientID == "" || p.ClientSecret.IsZero() {
		return shsession.Config{}, missingCredentials(p)
	}
	if err := checkTokenURL(p); err != nil {
		return shsession.Config{}, err
	}
	cfg := p.Config()
	cfg.Logger = a.logger()
	cfg.Logger.Debug("settings", "profile", p.Name, "file", p.File, "token_url", withoutPassword(p.TokenURL))
	return cfg, nil
}

// noCacheHere is a warning for systems where processes can't share memory yet.
const noCacheHere = "there is no cache on " + runtime.GOOS + ", so each call logs in, and the services limit logins: " +
	"for many calls run `shsession share --to header:PATH`, which keeps a token in a file, or use --from with Redis"

// token returns a token that is valid for at least minTTL, of which it compares the clocks.
func (a *app) token(ctx context.Context, cfg shsession.Config, minTTL time.Duration, noCache bool) (shsession.Token, error) {
	t, err := a.cachedToken(ctx, cfg, minTTL, noCache)
	if err == nil {
		a.compareClocks(t)
	}
	return t, err
}

// cachedToken returns the token that this machine's processes have in common, or with noCache, or
// where there is no shared memory, one from a login.
func (a *app) cachedToken(ctx context.Context, cfg shsession.Config, minTTL time.Duration, noCache bool) (shsession.Token, error) {
	if noCache {
		return login(ctx, cfg, minTTL)
	}
	store, err := shm.Open(cacheName(cfg))
	if errors.Is(err, errors.ErrUnsupported) {
		a.warn(noCacheHere)
		return login(ctx, cfg, minTTL)
	}
	if err != nil {
		return shsession.Token{}, err
	}
	cfg.Logger.Debug("this machine's cache", "cache", cacheName(cfg))
	session, err := shsession.Join(cfg, store)
	if err != nil {
		return shsession.Token{}, err
	}
	t, err := session.TokenFor(ctx, minTTL)
	if cacheFailed(err) {
		a.warn(fmt.Sprintf("logging in without this machine's cache: %v", err))
		return login(ctx, cfg, minTTL)
	}
	return t, err
}

func login(ctx context.Context, cfg shsession.Config, minTTL time.Duration) (shsession.Token, error) {
	session, err := shsession.New(cfg)
	if err != nil {
		return shsession.Token{}, err
	}
	return session.TokenFor(ctx, minTTL)
}

// cacheFailed reports whether err is of the cache and not of the service: a container without
// /dev/shm, one that can't be written, or a file there that isn't ours.
func cacheFailed(err error) bool {
	var (
		refused   *shsession.AuthError
		endpoint  *shsession.EndpointError
		path      *fs.PathError
		untrusted *shm.UntrustedError
	)
	if errors.As(err, &refused) || errors.As(err, &endpoint) {
		return false
	}
	return errors.As(err, &path) || errors.As(err, &untrusted)
}
