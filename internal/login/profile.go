package login

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/settings"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// Set writes the change to the profile, which is made if there is none, and says what is written. It
// doesn't log in. It asks for the secret, unless only URLs of an existing profile are changed.
func (d *Dialogue) Set(ctx context.Context) error {
	if err := d.addURLs(); err != nil {
		return err
	}
	file, err := shconfig.Open(d.Options.File)
	if err != nil {
		return err
	}
	c := &d.Change
	exists := slices.Contains(file.Profiles(), d.Name)
	if !exists && c.ClientID == "" {
		return d.usage("profile %q is new: give its --client-id", d.Name)
	}
	before, after, err := tryProfile(file, d.Name, c.Settings)
	if err != nil {
		return err
	}
	onlyURLs := exists && !c.Keyring && c.ClientID == "" && c.BaseURL+c.TokenURL != ""
	if !onlyURLs {
		if c.ClientSecret, err = d.askSecret(ctx, before); err != nil {
			return err
		}
	}
	c.stay(before)
	if err := d.write(ctx, before, after); err != nil {
		return err
	}
	for _, warning := range after.Warnings {
		d.Output.Warn(warning)
	}
	if *c == (Change{}) {
		_, err = fmt.Fprintf(d.Output.Out, "profile %s in %s is as it was\n", display.Line(d.Name), file.Path())
		return err
	}
	_, err = fmt.Fprintf(d.Output.Out, "profile %s is written to %s: %s\n", display.Line(d.Name), file.Path(), c.summary())
	return err
}

// Remove removes a profile from the config.toml at path, and its secret from the keyring. An empty
// path is that of the usual file. It returns the file's path.
func Remove(ctx context.Context, path, name string, warn func(text string)) (string, error) {
	var before shconfig.Profile
	err := shconfig.Update(ctx, path, func(file *shconfig.File) error {
		path = file.Path()
		before, _ = profileIn(file, name) // a profile that can't be read can be removed
		return file.Remove(name)
	})
	if err == nil {
		forgetSecret(ctx, before, warn)
	}
	return path, err
}

// tryProfile returns the profile as it is and as it would become, in memory only. It refuses URLs that can't
// be used for a login.
func tryProfile(file *shconfig.File, name string, s shconfig.Settings) (before, after shconfig.Profile, err error) {
	if before, err = profileIn(file, name); err != nil {
		return before, after, err
	}
	if err := file.Set(name, s); err != nil {
		var value *shconfig.ValueError
		if errors.As(err, &value) {
			err = usererror.Mistake(err)
		}
		return before, after, err
	}
	after, err = file.Profile(name)
	if err != nil || s.BaseURL+s.TokenURL == "" {
		return before, after, err
	}
	if err := settings.CheckBaseURL(after.BaseURL); err != nil {
		return before, after, usererror.Mistake(err)
	}
	if s.TokenURL == "" && (after.TokenURL == "" || shsession.TokenURLFor(after.TokenURL) != "") {
		err := fmt.Errorf("no token URL is known for the base URL %s", s.BaseURL)
		return before, after, usererror.WithHint(usererror.Mistake(err), "give its --token-url, too")
	}
	if err := settings.CheckLogin(after); err != nil {
		return before, after, usererror.Mistake(err)
	}
	return before, after, nil
}

// profileIn returns a profile as it is in the file, with the defaults if it isn't.
func profileIn(file *shconfig.File, name string) (shconfig.Profile, error) {
	if !slices.Contains(file.Profiles(), name) {
		return shconfig.Profile{}, nil
	}
	return file.Profile(name)
}
