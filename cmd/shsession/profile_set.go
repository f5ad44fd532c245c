package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

func (a *app) profileSetCommand() *cobra.Command {
	var s shconfig.Settings
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Make or change a profile in config.toml",
		Long: `set makes a profile in config.toml, or changes it. What isn't given stays as it is.

The secret is asked for on a terminal, without echo, and is else the first line of
standard input; an empty one keeps the old, if there is one. It isn't asked for when only
URLs of an existing profile are changed. There is no flag for it, since arguments can be
read by everybody on the machine.`,
		Example: `  shsession profile set cdse --preset cdse --client-id ID
  pass show sentinel-hub | shsession profile set default-profile --client-id ID`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.setProfile(cmd, args[0], s)
		},
		ValidArgsFunction: a.completeProfiles,
	}
	cmd.Flags().StringVar(&s.ClientID, "client-id", "", "the OAuth client's `id`")
	cmd.Flags().StringVar(&s.BaseURL, "base-url", "", "the service's `URL`")
	cmd.Flags().StringVar(&s.TokenURL, "token-url", "", "its token endpoint's `URL`")
	return cmd
}

func (a *app) setProfile(cmd *cobra.Command, name string, s shconfig.Settings) error {
	if name == "" {
		return usage(cmd, "the profile's name is empty")
	}
	s, err := a.withURLs(s)
	if err != nil {
		return err
	}
	file, err := shconfig.Open(a.config)
	if err != nil {
		return err
	}
	exists := slices.Contains(file.Profiles(), name)
	if !exists && s.ClientID == "" {
		return usage(cmd, "profile %q is new: give its --client-id", name)
	}
	before, after, err := tryProfile(file, name, s)
	if err != nil {
		return err
	}
	onlyURLs := exists && s.ClientID == "" && s.BaseURL+s.TokenURL != ""
	if !onlyURLs {
		if s.ClientSecret, err = a.askSecret(cmd, name, before); err != nil {
			return err
		}
	}
	if err := shconfig.Update(cmd.Context(), a.config, func(f *shconfig.File) error { return f.Set(name, s) }); err != nil {
		return err
	}
	for _, warning := range after.Warnings {
		a.warn(warning)
	}
	if s == (shconfig.Settings{}) {
		_, err = fmt.Fprintf(a.out, "profile %s in %s is as it was\n", printable(name), file.Path())
		return err
	}
	_, err = fmt.Fprintf(a.out, "profile %s is written to %s: %s\n", printable(name), file.Path(), summary(s))
	return err
}

// tryProfile returns the profile as it is and as it would become, in memory only. It refuses URLs that can't
// be used for a login.
func tryProfile(file *shconfig.File, name string, s shconfig.Settings) (before, after shconfig.Profile, err error) {
	if slices.Contains(file.Profiles(), name) {
		if before, err = file.Profile(name); err != nil {
			return before, after, err
		}
	}
	if err := file.Set(name, s); err != nil {
		var value *shconfig.ValueError
		if errors.As(err, &value) {
			err = &usageError{err}
		}
		return before, after, err
	}
	after, err = file.Profile(name)
	if err != nil || s.BaseURL+s.TokenURL == "" {
		return before, after, err
	}
	if err := checkBaseURL(after.BaseURL); err != nil {
		return before, after, &usageError{err}
	}
	if s.TokenURL == "" && (after.TokenURL == "" || shsession.TokenURLFor(after.TokenURL) != "") {
		err := fmt.Errorf("no token URL is known for the base URL %s", s.BaseURL)
		return before, after, withHint(&usageError{err}, "give its --token-url, too")
	}
	if err := checkLogin(after); err != nil {
		return before, after, &usageError{err}
	}
	return before, after, nil
}

// askSecret asks for the secret of a profile. It may be empty if the profile has one already.
func (a *app) askSecret(cmd *cobra.Command, name string, before shconfig.Profile) (shsession.Secret, error) {
	prompt := "Client secret (not shown): "
	if !before.ClientSecret.IsZero() {
		prompt = "Client secret (not shown; empty keeps the old one): "
	}
	secret, err := a.readSecret(cmd.Context(), prompt)
	if err == nil && secret.IsZero() && before.ClientSecret.IsZero() {
		err = withHint(&usageError{fmt.Errorf("no secret was given for profile %q, and nothing is written", name)},
			"type it at the prompt, in a terminal, or let it be the first line of standard input: `pass show sentinel-hub | "+
				cmd.CommandPath()+" "+shellWord(name)+" …`")
	}
	return secret, err
}

// withURLs puts the preset under the URLs that were given, and lets a known base URL bring
// its token URL.
func (a *app) withURLs(s shconfig.Settings) (shconfig.Settings, error) {
	if a.preset != "" {
		preset, err := shconfig.Preset(a.preset)
		if err != nil {
			return s, err
		}
		if s.BaseURL == "" {
			s.BaseURL = preset.BaseURL
		}
		if s.TokenURL == "" {
			s.TokenURL = preset.TokenURL
		}
	}
	if s.TokenURL == "" && s.BaseURL != "" {
		s.TokenURL = shsession.TokenURLFor(s.BaseURL)
	}
	return s, nil
}

// summary says what was set, without the secret.
func summary(s shconfig.Settings) string {
	text := ""
	add := func(name, value string) {
		if value == "" {
			return
		}
		if text != "" {
			text += ", "
		}
		text += name + " " + printable(value)
	}
	add("client id", s.ClientID)
	add("secret", shconfig.Mask(s.ClientSecret.Reveal()))
	add("base URL", s.BaseURL)
	add("token URL", s.TokenURL)
	return text
}
