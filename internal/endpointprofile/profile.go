// Package endpointprofile tells a command where it logs in: at an endpoint on this machine
// (package tokenendpoint) instead of at the service.
//
// The Python package sentinelhub takes its token URL from a profile in config.toml and from
// nowhere else, so that the command needs a profile of its own, which [Add] makes and
// [Profile.Remove] takes away. The profile has URLs and no secret. Everything else is in the
// command's environment, which [Login.Environ] returns.
//
// A process that is killed leaves its profile. The next Add, or [Sweep], removes it: each
// profile has a registration beside config.toml, a file that is locked for as long as the
// process which made the profile lives.
package endpointprofile

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/shsession/shsession/shconfig"
)

// prefix is how the names of these profiles begin.
const prefix = "shsession-endpoint-"

// Options say what is in the profile. TokenURL is required.
type Options struct {
	File     string // the config.toml; "" means shconfig.Path
	Like     string // the profile whose other settings are kept; "" means shconfig.DefaultProfile
	BaseURL  string // the service's; "" means that of Like
	TokenURL string // the endpoint's
}

// A Profile is a profile in config.toml that is there for as long as a command runs.
type Profile struct {
	file         string
	name         string
	registration *registration

	removing sync.Once // for err
	err      error
}

// Add makes a profile with a name of its own, which has the settings of another one but for
// the URLs and without credentials. Other profiles don't change. It removes the profiles of
// processes that were killed. Like [shconfig.Update] it waits until ctx ends for other processes
// that change the file, and for ten seconds at most. An error says that the file couldn't be
// written; nothing is left behind then.
func Add(ctx context.Context, o Options) (*Profile, error) {
	if o.TokenURL == "" {
		return nil, errors.New("the profile for the command has no token URL")
	}
	if o.Like == "" {
		o.Like = shconfig.DefaultProfile
	}
	p := &Profile{file: o.File, name: prefix + newID()}
	err := shconfig.Update(ctx, o.File, func(f *shconfig.File) error { return p.addTo(f, o) })
	if err != nil {
		p.registration.end()
		return nil, fmt.Errorf("the command needs a profile in config.toml, which couldn't be written: %w", err)
	}
	return p, nil
}

func (p *Profile) addTo(f *shconfig.File, o Options) error {
	dir, err := f.Dir()
	if err != nil {
		return err
	}
	if err := sweep(f, dir); err != nil {
		return err
	}
	if p.registration, err = register(dir, p.name); err != nil {
		return err
	}
	urls := shconfig.Settings{BaseURL: o.BaseURL, TokenURL: o.TokenURL}
	return f.Copy(o.Like, p.name, urls, shconfig.ClientID, shconfig.ClientSecret)
}

// Name returns the profile's name, for SH_PROFILE.
func (p *Profile) Name() string { return p.name }

// Remove removes the profile, once. It waits as Add does. A profile that is gone is no error.
func (p *Profile) Remove(ctx context.Context) error {
	p.removing.Do(func() {
		p.err = shconfig.Update(ctx, p.file, func(f *shconfig.File) error { return remove(f, p.name) })
		if p.err != nil {
			p.err = fmt.Errorf("the command's profile %s is left in config.toml: %w", p.name, p.err)
		}
		p.registration.end()
	})
	return p.err
}

// Sweep removes the profiles of processes that were killed. Without any it only reads the file.
// It waits as Add does.
func Sweep(ctx context.Context, file string) error {
	f, err := shconfig.Open(file)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(f.Profiles(), IsOne) {
		return nil
	}
	return shconfig.Update(ctx, file, func(f *shconfig.File) error {
		dir, err := f.Dir()
		if err != nil {
			return err
		}
		return sweep(f, dir)
	})
}

// sweep removes the profiles that no process has a registration for.
func sweep(f *shconfig.File, dir string) error {
	for _, name := range f.Profiles() {
		if !IsOne(name) || isRegistered(dir, name) {
			continue
		}
		if err := remove(f, name); err != nil {
			return err
		}
	}
	return nil
}

// IsOne reports whether a profile with a name is one that Add makes.
func IsOne(name string) bool { return strings.HasPrefix(name, prefix) }

func remove(f *shconfig.File, name string) error {
	if err := f.Remove(name); !errors.As(err, new(*shconfig.UnknownProfileError)) {
		return err
	}
	return nil
}

// newID returns what sets one profile apart from another.
func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
