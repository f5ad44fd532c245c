// Package keyring keeps clients' secrets in the keyring of the user's system: the Secret Service on
// Linux and the BSDs (GNOME's keyring, KDE's wallet), the Keychain on macOS, the Credential Manager
// on Windows.
//
// Every function returns when ctx is done, and after [Patience] at the latest: a keyring may ask its
// user for a password meanwhile. The request to the keyring goes on.
package keyring

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/shsession/shsession"
)

// Service is the name that the secrets are kept under.
const Service = "shsession"

// Patience is how long a keyring is waited for.
const Patience = 30 * time.Second

// ErrNotFound: the keyring has no secret of the client.
var ErrNotFound = errors.New("the keyring has no secret of the client")

// account is what a secret is found by: a client at a service.
func account(clientID, tokenURL string) string { return clientID + " at " + tokenURL }

// Get returns the secret of a client. The error wraps [ErrNotFound] if there is none.
func Get(ctx context.Context, clientID, tokenURL string) (shsession.Secret, error) {
	return wait(ctx, func() (shsession.Secret, error) {
		text, err := keyring.Get(Service, account(clientID, tokenURL))
		if errors.Is(err, keyring.ErrNotFound) {
			err = fmt.Errorf("%w %q at %s", ErrNotFound, clientID, tokenURL)
		}
		return shsession.NewSecret(text), err
	})
}

// Set puts the secret of a client into the keyring, in the place of an older one.
func Set(ctx context.Context, clientID, tokenURL string, secret shsession.Secret) error {
	_, err := wait(ctx, func() (none shsession.Secret, err error) {
		return none, keyring.Set(Service, account(clientID, tokenURL), secret.Reveal())
	})
	return err
}

// Delete takes the secret of a client out of the keyring. That there is none is no error.
func Delete(ctx context.Context, clientID, tokenURL string) error {
	_, err := wait(ctx, func() (none shsession.Secret, err error) {
		if err = keyring.Delete(Service, account(clientID, tokenURL)); errors.Is(err, keyring.ErrNotFound) {
			err = nil
		}
		return none, err
	})
	return err
}

// wait returns what use does, unless that takes too long.
func wait(ctx context.Context, use func() (shsession.Secret, error)) (shsession.Secret, error) {
	if err := present(); err != nil {
		return shsession.Secret{}, fmt.Errorf("this system's keyring can't be used: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	type result struct {
		secret shsession.Secret
		err    error
	}
	done := make(chan result, 1)
	go func() {
		secret, err := use()
		done <- result{secret, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, ErrNotFound) {
			r.err = fmt.Errorf("this system's keyring can't be used, or is locked: %w", r.err)
		}
		return r.secret, r.err
	case <-ctx.Done():
		err := context.Cause(ctx)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			err = fmt.Errorf("this system's keyring doesn't answer; it may be locked, and wait for a password: %w", err)
		}
		return shsession.Secret{}, err
	}
}
