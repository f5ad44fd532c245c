// Package settings loads the profile that one run of the command uses, and refuses settings that
// no login would work with.
package settings

import (
	"context"
	"log/slog"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/shconfig"
)

// Settings are the profile in force, as the command's flags and the environment say. The profile
// is read once. Settings are for one goroutine.
type Settings struct {
	Options shconfig.Options  // the flags
	Warn    func(text string) // gets the profile's warnings, when it is read

	loaded *shconfig.Profile // nil until Profile is called
	secret shsession.Secret  // zero until Secret is called
}

// Profile returns the profile in force. It reads config.toml and the environment the first time.
func (s *Settings) Profile() (shconfig.Profile, error) {
	if s.loaded != nil {
		return *s.loaded, nil
	}
	p, err := shconfig.Load(s.Options)
	if err != nil {
		return p, err
	}
	for _, warning := range p.Warnings {
		s.Warn(warning)
	}
	s.loaded = &p
	return p, nil
}

// Login returns the profile in force as the config of a session that logs in and that logs to
// logger. The error wraps [shsession.ErrNoCredentials] if the profile has none. Login can wait for a
// command or a keyring, as [Settings.Secret] does.
func (s *Settings) Login(ctx context.Context, logger *slog.Logger) (shsession.Config, error) {
	_, secret, err := s.Secret(ctx)
	if err != nil {
		return shsession.Config{}, err
	}
	p, err := s.Profile()
	if err != nil {
		return shsession.Config{}, err
	}
	if err := checkTokenURL(p); err != nil {
		return shsession.Config{}, err
	}
	cfg := p.Config()
	cfg.ClientSecret, cfg.ReadSecret = secret, firstKnown(secret, cfg.ReadSecret)
	cfg.Logger = logger
	logger.Debug("settings", "profile", p.Name, "file", p.File, "token_url", display.URL(p.TokenURL))
	return cfg, nil
}

// AtEndpoint reports whether the profile in force is that of a command of "shsession share
// --endpoint". Such a command logs in at the endpoint, where all of the command's processes get the
// same token. It is false before Profile is called.
func (s *Settings) AtEndpoint() bool { return s.loaded != nil && endpointprofile.IsOne(s.loaded.Name) }
