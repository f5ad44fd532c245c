package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func (a *app) tokenCommand() *cobra.Command {
	var (
		asJSON bool
		minTTL time.Duration
		origin origin
	)
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print an access token",
		Long: `token prints an access token: the one that this machine's cache holds while that
is fresh, else a new one, so that a thousand calls make one login. (On macOS and Windows
there is no cache yet, and each call logs in.) With --from it is the one that somebody shares
in a STORE (see "shsession share"), and no credentials are needed. In the command of a share it is
the one that is shared for that, unless a flag says where from, or how to log in.`,
		Example: `  shsession token
  shsession token --min-ttl 10m        # for a job that takes ten minutes
  shsession token --json               # the token endpoint's whole answer, and expires_at
  shsession token --from 'redis://redis.example:6379/0?key=team'`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if minTTL < 0 {
				return usage(cmd, "--min-ttl %v is negative", minTTL)
			}
			t, err := origin.token(cmd, a, minTTL)
			if err != nil {
				return err
			}
			if asJSON {
				_, err = fmt.Fprintf(a.out, "%s\n", t.Encode())
			} else {
				_, err = fmt.Fprintln(a.out, t.AccessToken())
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole token object, with expires_at")
	cmd.Flags().DurationVar(&minTTL, "min-ttl", 0, "the life that the token must have left, such as 10m")
	origin.flags(cmd)
	return cmd
}
