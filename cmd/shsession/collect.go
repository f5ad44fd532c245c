package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// errShareExpired: what is shared is past its time.
var errShareExpired = errors.New("the shared token has expired")

func (a *app) collectCommand() *cobra.Command {
	var raw bool
	cmd := &cobra.Command{
		Use:   "collect [STORE]",
		Short: "Print the token that is shared",
		Long: `collect prints the token that somebody shares in a STORE, as the JSON object that
was shared. It needs no credentials. An expired token is printed too, with a
warning and exit code 4.

A STORE is shm:NAME, a segment of this machine's shared memory, a bare NAME, or a URL of Redis.
Without one it is shm:` + shm.DefaultName + `, or, in a command of "shsession share", what is shared for that.

` + redisHelp,
		Example: `  shsession collect                    # what Python's SessionSharing shares, too
  shsession collect my-name --token
  shsession collect 'redis://redis.example:6379/0?key=team'`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := a.collect(cmd.Context(), storeArgument(args))
			if err != nil {
				return err
			}
			if raw {
				_, err = fmt.Fprintln(a.out, t.AccessToken())
			} else {
				_, err = fmt.Fprintf(a.out, "%s\n", t.Encode())
			}
			if err == nil && t.Remaining() == 0 {
				err = expired(t)
			}
			return err
		},
		ValidArgsFunction: completeSegments,
	}
	cmd.Flags().BoolVar(&raw, "token", false, "print the access token alone")
	return cmd
}

func expired(t shsession.Token) error {
	return withHint(fmt.Errorf("%w, %s ago", errShareExpired, lifeText(time.Since(t.ExpiresAt()))),
		"whoever shared it has stopped: start `shsession share`")
}
