package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) loginCommand() *cobra.Command {
	var f credentialFlags
	var limit timeout
	cmd := &cobra.Command{
		Use:   "login",
		Short: "Ask for credentials, try them and store them",
		Long: `login asks for the service, the client id and the client secret, logs in with them,
says who you are and for how long, and stores them as a profile in config.toml, the file that the
Python package sentinelhub reads. The profile is default-profile, or what --profile names.

login asks no question that a flag answers. Without a terminal it asks nothing and needs the service,
--client-id, and the secret as the first line of standard input. There is no flag for the secret,
since all users of the machine can read arguments.

If the login fails, nothing is written. "shsession profile set" stores credentials without trying
them.

` + keyringHelp,
		Example: `  shsession login
  shsession login --keyring
  shsession login --preset cdse --profile cdse
  pass show sentinel-hub | shsession login --preset sentinelhub --client-id ID`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := notEmpty(cmd, "client-id", "base-url", "token-url"); err != nil {
				return err
			}
			if err := limit.check(cmd); err != nil {
				return err
			}
			attempt := func(ctx context.Context) (context.Context, context.CancelFunc) { return limit.context(ctx, a) }
			t, err := f.dialogue(cmd, a, a.profileInForce()).LogIn(cmd.Context(), attempt)
			a.compareClocks(t)
			return err
		},
	}
	f.add(cmd)
	limit.add(cmd, usualTimeout)
	return cmd
}
