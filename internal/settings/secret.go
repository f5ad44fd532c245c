package settings

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/keyring"
	"github.com/shsession/shsession/internal/secrettext"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// Secret returns the profile's client id and secret. It runs a command, or asks a keyring, once. The
// error wraps [shsession.ErrNoCredentials] if the profile has none.
func (s *Settings) Secret(ctx context.Context) (clientID string, secret shsession.Secret, err error) {
	p, err := s.Profile()
	if err != nil {
		return "", secret, err
	}
	if p.ClientID == "" || !p.HasSecret() {
		return "", secret, MissingCredentials(p)
	}
	if s.secret.IsZero() {
		if s.secret, err = p.Secret(ctx); err != nil {
			return "", secret, notRead(p, err)
		}
		if err := secrettext.Check(s.secret); err != nil {
			return "", secret, fmt.Errorf("%w: the secret is from %s", err, p.Sources[shconfig.ClientSecret])
		}
		s.warnOfSources(p)
	}
	return p.ClientID, s.secret, nil
}

// notRead returns the error of a secret that can't be read, with a hint.
func notRead(p shconfig.Profile, err error) error {
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return usererror.WithHint(fmt.Errorf("%w: %w", shsession.ErrNoCredentials, err), "`"+storing(p)+" --keyring` stores it there")
	case p.Sources[shconfig.ClientSecret] == shconfig.SourceKeyring:
		return usererror.WithHint(err, "unlock the keyring, or set SH_CLIENT_SECRET, SH_CLIENT_SECRET_FILE or SH_CLIENT_SECRET_COMMAND")
	}
	return err
}

// warnOfSources warns of credentials that are from two places, and of what was probably copied with
// the secret by mistake.
func (s *Settings) warnOfSources(p shconfig.Profile) {
	id, secret := p.Sources[shconfig.ClientID], p.Sources[shconfig.ClientSecret]
	if origin(id) != origin(secret) && secret != shconfig.SourceKeyring { // which is asked for that client
		s.Warn(fmt.Sprintf("the client id is from %s and the secret from %s: they may be of two clients", source(id, p), source(secret, p)))
	}
	if found, _ := secrettext.Around(s.secret); found != "" {
		s.Warn(fmt.Sprintf("the secret has %s, which may be a mistake; it is from %s", found, source(secret, p)))
	}
}

// origin returns what credentials of one place have in common.
func origin(source string) string {
	switch source {
	case "SH_CLIENT_ID", "SH_CLIENT_SECRET", "SH_CLIENT_SECRET_FILE", shconfig.SourceCommand:
		return "environment"
	case shconfig.SourceArgument:
		return source
	}
	return "file"
}

// source names a source for people.
func source(source string, p shconfig.Profile) string {
	if source == p.File {
		return "profile " + display.Line(p.Name) + " in " + source
	}
	return source
}

// firstKnown returns read, whose first call returns what was read already.
func firstKnown(known shsession.Secret, read func(context.Context) (shsession.Secret, error)) func(context.Context) (shsession.Secret, error) {
	if read == nil {
		return nil
	}
	var mu sync.Mutex // guards known
	return func(ctx context.Context) (shsession.Secret, error) {
		mu.Lock()
		first := known
		known = shsession.Secret{}
		mu.Unlock()
		if !first.IsZero() {
			return first, nil
		}
		return read(ctx)
	}
}
