package shconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"github.com/shsession/shsession"
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
// A profile that is named and not in the file is an *[UnknownProfileError].
// DefaultProfile is never missing: where the file, or the default file itself, is
// not there, it holds the defaults. (The Python package writes that file, and
// refuses one without a default-profile.) A file that is no TOML is a
// *[SyntaxError], a setting of the wrong type or out of range a *[ValueError].
//
// Setting both SH_CLIENT_SECRET and SH_CLIENT_SECRET_FILE is an error, since it
// can't be told which is meant. Neither is looked at if Settings has a secret.
//
// That client id and secret are missing, or a token URL that goes with the base URL,
// is not an error here but of [shsession.New], as a store may be all that is wanted.
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
	p.pair(env, envSource)
	p.overlay(arguments, argumentSource)
	p.pair(arguments, argumentSource)
	p.warnOfMixedPair()
	return p, nil
}

func (p *Profile) warnOfMixedPair() {
	if shsession.MixedPair(p.BaseURL, p.TokenURL) {
		p.Warnings = append(p.Warnings, fmt.Sprintf(
			"profile %q: the base URL %s (%s) and the token URL %s (%s) belong to different services, which refuse each other's credentials",
			p.Name, withoutPassword(p.BaseURL), p.Sources[BaseURL], withoutPassword(p.TokenURL), p.Sources[TokenURL]))
	}
}

func withoutPassword(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "[not a URL]"
	}
	return u.Redacted()
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
	p.disown(settings)
	return nil
}

// holdsSecret reports whether any profile has a client secret. The file that the
// Python package makes by itself, of mode 0644, has none.
func holdsSecret(data map[string]any) bool {
	for _, value := range data {
		if profile, ok := value.(map[string]any); ok {
			if secret, ok := profile[string(ClientSecret)].(string); ok && secret != "" {
				return true
			}
		}
	}
	return false
}
