package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

func (a *app) logoutCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "logout",
		Short: "Forget the tokens in this machine's cache",
		Long: `logout forgets the tokens that "shsession token", headers and info have cached on this
machine for the profile's client, so that the next call logs in. What "shsession share" shares stays.
The services can't cancel a token: a copy of it is good until it expires.`,
		Example: `  shsession logout
  shsession logout --all               # those of every client`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			prefix := cachePrefix
			if !all {
				p, err := a.settings()
				if err != nil {
					return err
				}
				if p.ClientID == "" {
					return missingCredentials(p)
				}
				prefix = cacheFamily(p.Config())
			}
			forgotten, err := forget(cmd.Context(), prefix)
			if err != nil {
				return err
			}
			if err := shm.Sweep(cmd.Context()); err != nil && !errors.Is(err, errors.ErrUnsupported) {
				return err
			}
			_, err = fmt.Fprintln(a.out, forgottenText(forgotten))
			return err
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "forget those of every client")
	return cmd
}

// forget removes the private segments whose names start with prefix and returns how
// many there were.
func forget(ctx context.Context, prefix string) (int, error) {
	segments, err := shm.List(ctx)
	if errors.Is(err, errors.ErrUnsupported) {
		return 0, nil // nothing is ever cached here
	}
	if err != nil {
		return 0, err
	}
	forgotten := 0
	for _, s := range segments {
		if !strings.HasPrefix(s.Name, prefix) || !isCache(s.Name) {
			continue
		}
		switch err := shm.Remove(ctx, s.Name); {
		case err == nil:
			forgotten++
		case !errors.Is(err, shsession.ErrNotShared): // somebody else forgot it
			return forgotten, err
		}
	}
	return forgotten, nil
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
