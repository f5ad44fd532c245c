package shconfig

import (
	"context"

	"github.com/shsession/shsession"
)

// Sources that are neither an environment variable nor a file.
const (
	SourceArgument = "argument"
	SourceDefault  = "default"
)

// Sources of a secret that is read when it is needed: the command in that variable, and the
// keyring of the user's system.
const (
	SourceCommand = "SH_CLIENT_SECRET_COMMAND"
	SourceKeyring = "the system's keyring"
)

// A Profile is the settings in force: those of a profile in the file, under the
// environment's and the arguments', over the defaults. ClientID and ClientSecret can
// be empty, and so can TokenURL if BaseURL is an unknown service's. ClientSecret is
// also empty if the secret is read when it is needed, from a command or a keyring: see
// [Profile.HasSecret].
type Profile struct {
	Settings

	Name string // as in the file
	File string // the config.toml that was read; "" if there was none

	// Sources has for each key the source of its value: SourceArgument,
	// "preset cdse", the name of an environment variable, the path of
	// config.toml, or SourceDefault. Keys without a value are absent.
	Sources map[Key]string

	// Warnings are sentences about settings that work but should be changed, such
	// as a file that other users can read. They hold no secrets.
	Warnings []string

	readSecret func(context.Context) (shsession.Secret, error) // nil if the secret can't change
}

// Config returns the profile as a session's Config. MaxDownloadAttempts becomes MaxAttempts,
// and DownloadSleepTime becomes RetryWait. DownloadTimeout becomes Timeout, unless it is the
// default, which was chosen for downloads. A secret that can change, in a file, in a keyring
// or from a command, is read again before each login (ReadSecret). The other fields are zero.
func (p Profile) Config() shsession.Config {
	cfg := shsession.Config{
		ClientID:     p.ClientID,
		ClientSecret: p.ClientSecret,
		BaseURL:      p.BaseURL,
		TokenURL:     p.TokenURL,
		MaxAttempts:  p.MaxDownloadAttempts,
		RetryWait:    p.DownloadSleepTime,
		ReadSecret:   p.readSecret,
	}
	if p.Sources[DownloadTimeout] != SourceDefault {
		cfg.Timeout = p.DownloadTimeout
	}
	return cfg
}

// overlay puts the settings of a higher layer over those of the profile.
func (p *Profile) overlay(s Settings, source func(Key) string) {
	put(p, ClientID, &p.ClientID, s.ClientID, source)
	put(p, ClientSecret, &p.ClientSecret, s.ClientSecret, source)
	put(p, BaseURL, &p.BaseURL, s.BaseURL, source)
	put(p, TokenURL, &p.TokenURL, s.TokenURL, source)
	put(p, MaxDownloadAttempts, &p.MaxDownloadAttempts, s.MaxDownloadAttempts, source)
	put(p, DownloadSleepTime, &p.DownloadSleepTime, s.DownloadSleepTime, source)
	put(p, DownloadTimeout, &p.DownloadTimeout, s.DownloadTimeout, source)
}

func put[T comparable](p *Profile, key Key, field *T, value T, source func(Key) string) {
	var unset T
	if value == unset {
		return
	}
	*field = value
	p.Sources[key] = source(key)
}

// pair lets the token URL follow the base URL, if a layer set the base URL alone
// and the token URL left from below is another service's, or none.
func (p *Profile) pair(s Settings, source func(Key) string) {
	if s.BaseURL == "" || s.TokenURL != "" {
		return
	}
	if known := shsession.TokenURLFor(p.BaseURL); known != "" && (p.TokenURL == "" || shsession.MixedPair(p.BaseURL, p.TokenURL)) {
		p.TokenURL = known
		p.Sources[TokenURL] = source(BaseURL)
	}
	p.disown(s)
}

// disown removes the token URL of a lower layer, if a layer set only the base URL of an
// unknown service, and the token URL is a known service's: otherwise the secret would be
// sent to the wrong service.
func (p *Profile) disown(s Settings) {
	if s.BaseURL == "" || s.TokenURL != "" {
		return
	}
	if shsession.TokenURLFor(p.BaseURL) == "" && shsession.TokenURLFor(p.TokenURL) != "" {
		p.TokenURL = ""
		delete(p.Sources, TokenURL)
	}
}

func from(source string) func(Key) string { return func(Key) string { return source } }
