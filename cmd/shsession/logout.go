package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/settings"
	"github.com/shsession/shsession/internal/usererror"
)

func (a *app) logoutCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Remove the tokens from this machine's cache",
		Long: `logout removes the tokens that "shsession token", headers and info have cached on this
machine for the profile's client, and the notes that its failed logins left, so that the next call
logs in. It leaves the tokens that "shsession share" shares. The services can't revoke a token: a
copy of it is valid until it expires.`,
		Example: `  shsession logout
  shsession logout --all               # the tokens of every client`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			forgotten, err := a.forget(cmd.Context(), all)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, forgottenText(forgotten))
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "remove the tokens of every client")
	return cmd
}

// forget removes the cached tokens of the profile's client, or of every client.
func (a *app) forget(ctx context.Context, all bool) (int, error) {
	if all {
		return cache.ForgetAll(ctx)
	}
	p, err := a.settings.Profile()
	if err != nil {
		return 0, err
	}
	if p.ClientID == "" {
		return 0, usererror.WithHint(settings.MissingCredentials(p), "`shsession logout --all` forgets the tokens of every client")
	}
	return cache.Forget(ctx, p.Config())
}

func forgottenText(n int) string {
	switch n {
	case 0:
		return "no token was cached"
	case 1:
		return "1 token is forgotten"
	}
	return fmt.Sprintf("%d tokens are forgotten", n)
}
