package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/livestatus"
	"github.com/shsession/shsession/internal/status"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON, watch bool
	var limit timeout
	cmd := &cobra.Command{
		Use:   "status [STORE]",
		Short: "Show the tokens that this user's processes share",
		Long: `status shows every segment of shared memory of this user that holds a token, or
the one with that name: whose token it is, how long it lives, how long ago it was
put there, and who keeps it fresh. The exit code is 4 if a shared token has expired, and 1 if one is
"failing": its sharers couldn't renew it, or "orphaned": they died. Those that "shsession token" has cached are
called "cache of CLIENT", with the service if there are several of a client. The STORE can also be a URL of Redis (see "shsession share").

With --watch status goes on until q is pressed or it is interrupted. At a terminal it shows a picture of
every token's life, drawn each second, and elsewhere a line for each change. Renewals and failed attempts
are counted from the start of the sharers if these run on this machine, and else from the start of the
watch. A token that expires while it is shared, and the death of its sharers, count as failures too. HANDED
OUT is how often the token endpoint of a share (--endpoint) answered with a token, and to how many clients,
each of which asks once for a token and keeps it. If NO_COLOR is set, there are no colours.`,
		Example: `  shsession status
  shsession status --watch
  shsession status sh-session-token --json
  shsession status 'redis://redis.example:6379/0?key=team'`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := limit.check(cmd); err != nil {
				return err
			}
			look, err := a.look(args)
			if err != nil {
				return err
			}
			if watch {
				return livestatus.Show(cmd.Context(), look, a.Out, asJSON)
			}
			ctx, cancel := limit.context(cmd.Context(), a)
			defer cancel()
			shares, err := look(ctx)
			if err == nil && len(shares) == 0 || errors.Is(err, shsession.ErrNotShared) {
				return a.nothingShared(args, err, asJSON)
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(a.Out).Encode(shares)
			} else {
				err = status.Print(a.Out, shares)
			}
			return errors.Join(err, status.NotFresh(shares))
		},
		ValidArgsFunction: completeSegments,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as a JSON array, or with --watch each change as a JSON object on a line")
	limit.add(cmd, usualTimeout)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on showing what changes")
	return cmd
}

// look returns a look at every segment, or at what the argument names.
func (a *app) look(args []string) (status.Look, error) {
	if len(args) == 0 {
		return status.LookAtAll, nil
	}
	store, err := a.places.Store(args[0])
	if err != nil {
		return nil, err
	}
	return status.LookAt(store), nil
}

// nothingShared says that nothing is shared in the STORE, for which there is err, or nothing at all.
func (a *app) nothingShared(args []string, err error, asJSON bool) error {
	if asJSON {
		if _, err := fmt.Fprintln(a.Out, "[]"); err != nil {
			return err
		}
	}
	err = cmp.Or(err, shsession.ErrNotShared)
	if len(args) == 1 {
		err = toShare(args[0], err)
	}
	return err
}
