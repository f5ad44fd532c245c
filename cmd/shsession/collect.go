package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/place"
	"github.com/shsession/shsession/internal/status"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shm"
)

func (a *app) collectCommand() *cobra.Command {
	var (
		raw  bool
		from string
	)
	cmd := &cobra.Command{
		Use:   "collect [STORE]",
		Short: "Print the token that is shared",
		Long: `collect prints the token that is shared in a STORE, as the JSON object that was
shared. It needs no credentials. An expired token is printed too, with a warning
and exit code 4.

A STORE is shm:NAME, a segment of this machine's shared memory, a bare NAME, or a URL of Redis. It is
named by --from, as in token, headers and info, or as the only argument. The default is shm:` + shm.DefaultName + `, or in a command of "shsession share" the token that it shares.

` + place.RedisHelp,
		Example: `  shsession collect                    # also a token of Python's SessionSharing
  shsession collect --from my-name --token
  shsession collect --from 'redis://redis.example:6379/0?key=team'`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := notEmpty(cmd, "from"); err != nil {
				return err
			}
			if from != "" && len(args) > 0 {
				return usage(cmd, "two STOREs are named: --from %s and %s", from, args[0])
			}
			store := cmp.Or(from, storeArgument(args))
			t, err := a.collect(cmd.Context(), store)
			if err != nil {
				return err
			}
			if raw {
				_, err = fmt.Fprintln(a.Out, t.AccessToken())
			} else {
				_, err = fmt.Fprintf(a.Out, "%s\n", t.Encode())
			}
			if err == nil && t.Remaining() == 0 {
				err = a.expired(cmd.Context(), store, t)
			}
			return err
		},
		ValidArgsFunction: completeSegments,
	}
	fromFlag(cmd, &from)
	cmd.Flags().BoolVar(&raw, "token", false, "print the access token alone")
	return cmd
}

// expired returns the error of an expired token in a STORE, and why its sharers don't renew it.
func (a *app) expired(ctx context.Context, store string, t shsession.Token) error {
	err := fmt.Errorf("%w, %s ago", status.ErrExpired, display.Life(time.Since(t.ExpiresAt())))
	if problem := a.problem(ctx, store); problem != "" {
		return usererror.WithHint(fmt.Errorf("%w, and its sharer can't renew it: %s", err, problem),
			"the sharer goes on trying; `shsession status` shows when")
	}
	return usererror.WithHint(err, "its sharer has stopped: "+howToShare(store))
}

// problem returns why the live sharers of a STORE can't renew its token, "" if they can, or don't tell.
func (a *app) problem(ctx context.Context, text string) string {
	store, err := a.places.Store(text)
	if err != nil {
		return ""
	}
	shares, err := status.LookAt(store)(ctx)
	if err != nil || len(shares) != 1 {
		return ""
	}
	return shares[0].Trouble()
}
