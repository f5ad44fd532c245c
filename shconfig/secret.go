package shconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/envsecret"
	"github.com/shsession/shsession/internal/keyring"
)

// KeyringSecret, as the secret of a profile in config.toml, says that the secret is in the keyring
// of the user's system: the Secret Service, the Keychain or the Credential Manager. The Python
// package takes this word for the secret itself, and the service refuses it.
const KeyringSecret = "keyring:" + keyring.Service

// HasSecret reports whether the profile has a secret, or names a command or keyring to read
// it from.
func (p Profile) HasSecret() bool { return !p.ClientSecret.IsZero() || p.readSecret != nil }

// Secret returns the client's secret: ClientSecret, or the secret from a command or a keyring. These
// can wait for the user, until ctx is done and for half a minute at most. Without a secret it is zero.
func (p Profile) Secret(ctx context.Context) (shsession.Secret, error) {
	if p.ClientSecret.IsZero() {
		return p.ReadSecret(ctx)
	}
	return p.ClientSecret, nil
}

// ReadSecret reads the client's secret again: from its file, config.toml or that of
// SH_CLIENT_SECRET_FILE, from a command, or from a keyring. It returns the profile's secret if that has
// another source, or if its file is missing or isn't a regular file. It is an error if config.toml
// has another client id now: a session keeps its client.
func (p Profile) ReadSecret(ctx context.Context) (shsession.Secret, error) {
	if p.readSecret == nil {
		return p.ClientSecret, nil
	}
	return p.readSecret(ctx)
}

// secretReader returns a function that reads the profile's secret again, nil if the secret can't
// change.
func (p Profile) secretReader() func(context.Context) (shsession.Secret, error) {
	switch p.Sources[ClientSecret] {
	case SourceCommand:
		return func(ctx context.Context) (shsession.Secret, error) { return envsecret.Run(ctx, secretVariable) }
	case SourceKeyring:
		return p.keyringReader()
	case fileVariable:
		return func(context.Context) (shsession.Secret, error) {
			if path := os.Getenv(fileVariable); !isRegular(path) {
				return p.ClientSecret, nil
			}
			value, err := envsecret.Read(secretVariable)
			return value.Secret, err
		}
	case p.File:
		if !p.ClientSecret.IsZero() {
			return p.readFileAgain
		}
	}
	return nil
}

func (p Profile) keyringReader() func(context.Context) (shsession.Secret, error) {
	return func(ctx context.Context) (shsession.Secret, error) { return keyring.Get(ctx, p.ClientID, p.TokenURL) }
}

// readFileAgain returns the secret that config.toml has now.
func (p Profile) readFileAgain(context.Context) (shsession.Secret, error) {
	if !isRegular(p.File) {
		return p.ClientSecret, nil
	}
	now := Profile{Name: p.Name, Sources: map[Key]string{}}
	if err := now.loadFile(p.File); err != nil {
		return shsession.Secret{}, err
	}
	if p.Sources[ClientID] == p.File && now.ClientID != p.ClientID {
		return shsession.Secret{}, fmt.Errorf("%s: profile %q has another client id by now; this process keeps the one that it began with until it is restarted", p.File, p.Name)
	}
	return now.ClientSecret, nil
}

// isRegular reports whether a file can be read again: it isn't gone, and isn't a pipe, which has been
// read. Where that can't be told the reading says why.
func isRegular(path string) bool {
	info, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist) && (err != nil || info.Mode().IsRegular())
}
