package shconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
)

// Options are the arguments of [Load]. The zero value takes everything from the
// environment, the file at [Path] and the defaults.
type Options struct {
	File     string   // the config.toml, which must exist; "" means Path, where it need not
	Profile  string   // "" means SH_PROFILE, and then DefaultProfile
	Preset   string   // a name from Presets; "" means none
	Settings Settings // single settings, over the preset
}

// Load finds the settings in force. It reads and never writes.
//
// If a named profile is not in the file, the error is an *[UnknownProfileError].
// DefaultProfile is never missing: if the file doesn't have it, or the default file is
// missing, it holds the defaults. (The Python package writes that file, and refuses one
// without a default-profile.) The error of a file that is no TOML is a *[SyntaxError], that
// of a setting of the wrong type or out of range a *[ValueError].
//
// Setting more than one of SH_CLIENT_SECRET, SH_CLIENT_SECRET_FILE and
// SH_CLIENT_SECRET_COMMAND is an error, since Load can't know which one is meant. If
// Settings has a secret, Load ignores all three. Load runs no command and asks no keyring:
// [Profile.Secret] does, and a session with [Profile.Config] does before each login.
//
// A missing client id, secret or token URL is an error of [shsession.New] and not of Load,
// since a program may need only a store.
func Load(o Options) (Profile, error) {
	p := Profile{Name: profileName(o.Profile), Sources: map[Key]string{}}
	p.overlay(defaults(), from(SourceDefault))

	arguments, argumentSource, err := o.arguments()
	if err != nil {
		return Profile{}, err
	}
	if err := p.loadFile(o.File); err != nil {
		return Profile{}, err
	}
	env, envSource, warnings, err := environment(arguments.ClientSecret.IsZero())
	if err != nil {
		return Profile{}, err
	}
	p.Warnings = append(p.Warnings, warnings...)
	p.overlay(env, envSource)
	if envSource(ClientSecret) == SourceCommand {
		p.ClientSecret, p.Sources[ClientSecret] = shsession.Secret{}, SourceCommand
	}
	p.pair(env, envSource)
	p.overlay(arguments, argumentSource)
	p.pair(arguments, argumentSource)
	p.warnOfMixedPair()
	p.readSecret = p.secretReader()
	return p, nil
}

func (p *Profile) warnOfMixedPair() {
	if shsession.MixedPair(p.BaseURL, p.TokenURL) {
		p.Warnings = append(p.Warnings, fmt.Sprintf(
			"profile %q: the base URL %s (%s) and the token URL %s (%s) belong to different services, which refuse each other's credentials",
			p.Name, display.URL(p.BaseURL), p.Sources[BaseURL], display.URL(p.TokenURL), p.Sources[TokenURL]))
	}
}

func profileName(argument string) string {
	if argument != "" {
		return argument
	}
	if env := os.Getenv("SH_PROFILE"); env != "" {
		return env
	}
	return DefaultProfile
}

// arguments puts the single settings over the preset.
func (o Options) arguments() (Settings, func(Key) string, error) {
	if o.Preset == "" {
		return o.Settings, from(SourceArgument), nil
	}
	urls, err := Preset(o.Preset)
	if err != nil {
		return Settings{}, nil, err
	}
	s, preset := o.Settings, strings.ToLower(o.Preset)
	source := map[Key]string{}
	if s.BaseURL == "" {
		s.BaseURL, source[BaseURL] = urls.BaseURL, "preset "+preset
	}
	if s.TokenURL == "" {
		s.TokenURL, source[TokenURL] = urls.TokenURL, "preset "+preset
	}
	return s, func(k Key) string {
		if from, ok := source[k]; ok {
			return from
		}
		return SourceArgument
	}, nil
}

// loadFile puts the profile's settings in the file over the defaults.
func (p *Profile) loadFile(path string) error {
	named := path != ""
	if !named {
		var err error
		if path, err = Path(); err != nil {
			if p.Name == DefaultProfile {
				return nil
			}
			return fmt.Errorf("profile %q: %w", p.Name, err)
		}
	}
	raw, info, err := readLimited(path, maxConfigFile)
	missing := errors.Is(err, fs.ErrNotExist) && !named
	if err != nil && !missing {
		return fmt.Errorf("read the configuration: %w", err)
	}
	data, err := parse(path, raw)
	if err != nil {
		return err
	}
	if !missing {
		p.File = path
		if openToOthers(info) && holdsSecret(data) {
			p.Warnings = append(p.Warnings, openWarning(path, info))
		}
	}
	return p.read(path, data)
}

// read puts the profile's settings in a document over the defaults. path is where it comes from.
func (p *Profile) read(path string, data map[string]any) error {
	values, err := table(path, data, p.Name)
	if unknown := (*UnknownProfileError)(nil); errors.As(err, &unknown) && p.Name == DefaultProfile {
		return nil
	} else if err != nil {
		return err
	}
	d := decoder{path: path, profile: p.Name, values: values}
	settings, warnings, err := d.settings()
	if err != nil {
		return err
	}
	p.Warnings = append(p.Warnings, warnings...)
	p.overlay(settings, from(path))
	if settings.ClientSecret.Reveal() == KeyringSecret {
		p.ClientSecret, p.Sources[ClientSecret] = shsession.Secret{}, SourceKeyring
	}
	p.disown(settings)
	return nil
}
