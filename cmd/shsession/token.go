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
		from   tokenFrom
	)
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Print an access token",
		Long: `token prints an access token: the token in this machine's cache while that is fresh,
else a new token. So a thousand calls make one login. With --from it prints the token that is shared
in a STORE (see "shsession share"), and needs no credentials. In a command of a share it prints the
token of that share, unless a flag names a STORE or says how to log in.`,
		Example: `  shsession token
  shsession token --min-ttl 10m        # for a job that takes ten minutes
  shsession token --json               # the whole answer, and expires_at
  shsession token --renew              # the service has answered 401
  shsession token --from 'redis://redis.example:6379/0?key=team'`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if minTTL < 0 {
				return usage(cmd, "--min-ttl %v is negative", minTTL)
			}
			t, err := from.token(cmd, a, minTTL)
			if err != nil {
				return err
			}
			if asJSON {
				_, err = fmt.Fprintf(a.Out, "%s\n", t.Encode())
			} else {
				_, err = fmt.Fprintln(a.Out, t.AccessToken())
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole token object, with expires_at")
	cmd.Flags().DurationVar(&minTTL, "min-ttl", 0, "the life that the token must have left, such as 10m")
	from.flags(cmd)
	return cmd
}
