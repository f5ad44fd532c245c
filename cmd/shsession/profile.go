package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/login"
	"github.com/shsession/shsession/internal/settings"
	"github.com/shsession/shsession/shconfig"
)

func (a *app) profileCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Show and change the profiles in config.toml",
		Long: `profile shows and changes the profiles in config.toml, the file that the Python
package sentinelhub reads and writes too.`,
		Example: `  shsession profile set cdse --preset cdse --client-id ID  # asks for the secret
  shsession profile show cdse
  shsession --profile cdse token`,
		Args: subcommandOnly,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.profileListCommand(), a.profileShowCommand(), a.profileSetCommand(),
		a.profileRemoveCommand(), a.profilePathCommand())
	return cmd
}

// profileInForce returns the name of the profile that is used when no command says another.
func (a *app) profileInForce() string {
	return cmp.Or(a.settings.Options.Profile, os.Getenv("SH_PROFILE"), shconfig.DefaultProfile)
}

func (a *app) profileListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the profiles",
		Long:  "list prints the names of the profiles in config.toml. A star marks the one in force.",
		Args:  arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			file, err := shconfig.Open(a.settings.Options.File)
			if err != nil {
				return err
			}
			names := file.Profiles()
			if asJSON {
				if names == nil {
					names = []string{}
				}
				return json.NewEncoder(a.Out).Encode(names)
			}
			if len(names) == 0 {
				fmt.Fprintf(a.Err, "There are no profiles in %s; `shsession login` makes one.\n", file.Path())
			}
			for _, name := range names {
				mark := " "
				if name == a.profileInForce() {
					mark = "*"
				}
				if _, err := fmt.Fprintf(a.Out, "%s %s\n", mark, display.Line(name)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the names as a JSON array")
	return cmd
}

// setting is one setting of a profile, as it is shown.
type setting struct {
	Key   shconfig.Key `json:"key"`
	Value string       `json:"value"` // masked if it's secret
	From  string       `json:"from"`
}

func (a *app) profileShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show [NAME]",
		Short: "Show the settings in force, and where each comes from",
		Long: `show prints the settings in force with a profile, and where each comes from: an
argument, the environment, config.toml or the defaults. The secret is masked.`,
		Example: "  shsession profile show\n  shsession profile show cdse --json",
		Args:    arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				if a.settings.Options.Profile = args[0]; args[0] == "" {
					return usage(cmd, "the profile's name is empty")
				}
			}
			p, err := a.settings.Profile()
			if err != nil {
				return err
			}
			if p.TokenURL == "" {
				a.Warn(settings.NoTokenURL(p).Error())
			}
			rows := shown(p)
			if asJSON {
				return json.NewEncoder(a.Out).Encode(map[string]any{"profile": p.Name, "file": p.File, "settings": rows})
			}
			fmt.Fprintf(a.Out, "profile %s\n\n", display.Line(p.Name))
			var cells [][]string
			for _, r := range rows {
				cells = append(cells, []string{string(r.Key), display.Line(r.Value), display.Line(r.From)})
			}
			return display.Table(a.Out, nil, cells)
		},
		ValidArgsFunction: a.completeProfiles,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

// shown returns a profile's settings in the order of the Python package.
func shown(p shconfig.Profile) []setting {
	values := map[shconfig.Key]string{
		shconfig.ClientID:            p.ClientID,
		shconfig.ClientSecret:        shconfig.Mask(p.ClientSecret.Reveal()),
		shconfig.BaseURL:             p.BaseURL,
		shconfig.TokenURL:            p.TokenURL,
		shconfig.MaxDownloadAttempts: fmt.Sprint(p.MaxDownloadAttempts),
		shconfig.DownloadSleepTime:   p.DownloadSleepTime.String(),
		shconfig.DownloadTimeout:     p.DownloadTimeout.String(),
	}
	if p.ClientSecret.IsZero() && p.HasSecret() {
		values[shconfig.ClientSecret] = "read when it is needed"
	}
	var rows []setting
	for _, key := range shconfig.Keys() {
		from, ok := p.Sources[key]
		if !ok {
			from = "not set"
		}
		rows = append(rows, setting{key, values[key], from})
	}
	return rows
}

func (a *app) profileSetCommand() *cobra.Command {
	var f credentialFlags
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Make or change a profile in config.toml",
		Long: `set makes a profile in config.toml, or changes the settings that are given.

The secret is asked for on a terminal, without echo, and is else the first line of
standard input; an empty one keeps the old, if there is one. It isn't asked for when only
URLs of an existing profile are changed. There is no flag for the secret, since all users
of the machine can read arguments.

` + keyringHelp,
		Example: `  shsession profile set cdse --preset cdse --client-id ID
  pass show sentinel-hub | shsession profile set default-profile --client-id ID`,
		Args: arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return usage(cmd, "the profile's name is empty")
			}
			return f.dialogue(cmd, a, args[0]).Set(cmd.Context())
		},
		ValidArgsFunction: a.completeProfiles,
	}
	f.add(cmd)
	return cmd
}

func (a *app) profileRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME",
		Short:   "Remove a profile from config.toml",
		Example: "  shsession profile remove old",
		Args:    arguments(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := login.Remove(cmd.Context(), a.settings.Options.File, args[0], a.Warn)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.Out, "profile %s is removed from %s\n", display.Line(args[0]), path)
			return err
		},
		ValidArgsFunction: a.completeProfiles,
	}
}

func (a *app) profilePathCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "path",
		Short:   "Print where config.toml is, or would be",
		Example: `  "$EDITOR" "$(shsession profile path)"`,
		Args:    arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			path := a.settings.Options.File
			if path == "" {
				var err error
				if path, err = shconfig.Path(); err != nil {
					return err
				}
			}
			_, err := fmt.Fprintln(a.Out, path)
			return err
		},
	}
}

// completeProfiles completes the name of a profile as the only argument.
func (a *app) completeProfiles(cmd *cobra.Command, args []string, text string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeProfileFlag(cmd, args, text)
}

// completeProfileFlag completes the name of a profile.
func (a *app) completeProfileFlag(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	file, err := shconfig.Open(a.settings.Options.File)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return file.Profiles(), cobra.ShellCompDirectiveNoFileComp
}
