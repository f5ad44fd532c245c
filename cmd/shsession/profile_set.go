package main

import (
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
standard input; an empty one keeps the old. It isn't asked for when only URLs
of an existing profile are changed. There is no flag for it, since arguments can be
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
	file, err := shconfig.Open(a.config)
	if err != nil {
		return err
	}
	if s, err = a.withURLs(s); err != nil {
		return err
	}
	exists := slices.Contains(file.Profiles(), name)
	onlyURLs := exists && s.ClientID == "" && s.BaseURL+s.TokenURL != ""
	if !exists && s.ClientID == "" {
		return usage(cmd, "profile %q is new: give its --client-id", name)
	}
	if !onlyURLs {
		prompt := "Client secret (not shown): "
		if exists {
			prompt = "Client secret (not shown; empty keeps the old one): "
		}
		if s.ClientSecret, err = a.readSecret(cmd.Context(), prompt); err != nil {
			return err
		}
	}
	if err := file.Set(name, s); err != nil {
		return err
	}
	if err := file.Save(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "profile %s is written to %s: %s\n", printable(name), file.Path(), summary(s))
	return err
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
	if text == "" {
		return "nothing is changed"
	}
	return text
}
