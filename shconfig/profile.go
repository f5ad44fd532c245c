package shconfig

import "github.com/shsession/shsession"

// Sources that are neither an environment variable nor a file.
const (
	SourceArgument = "argument"
	SourceDefault  = "default"
)

// A Profile is the settings in force: those of a profile in the file, under the
// environment's and the arguments', over the defaults. ClientID and ClientSecret
// can be empty, and so can TokenURL where none is known to go with BaseURL.
type Profile struct {
	Settings

	Name string // as in the file
	File string // the config.toml that was read; "" if there was none

	// Sources says for each key where its value came from: SourceArgument,
	// "preset cdse", the name of an environment variable, the path of
	// config.toml, or SourceDefault. Keys without a value are absent.
	Sources map[Key]string

	// Warnings are sentences about what works but should be changed, such as
	// a file that others can read. They hold no secrets.
	Warnings []string
}

// Config is the profile as a session wants it. MaxDownloadAttempts becomes
// MaxAttempts, DownloadSleepTime RetryWait, and DownloadTimeout, unless it is the
// default, which was chosen for downloads, Timeout. The other fields are zero.
func (p Profile) Config() shsession.Config {
	cfg := shsession.Config{
		ClientID:     p.ClientID,
		ClientSecret: p.ClientSecret,
		BaseURL:      p.BaseURL,
		TokenURL:     p.TokenURL,
		MaxAttempts:  p.MaxDownloadAttempts,
		RetryWait:    p.DownloadSleepTime,
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

// disown takes the token URL left from below away, if a layer set the base URL of a
// service that is not known alone, and the token URL is that of one that is: the
// secret would be sent to somebody else.
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
