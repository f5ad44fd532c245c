package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// An origin is where token, headers and info get the token from, as their flags say: a STORE where somebody
// shares it, or this machine's cache and, where that has none, a login. A command of "shsession share" has
// the token that is shared for it, unless it says otherwise.
type origin struct {
	from    string
	noCache bool
}

// flags adds them to cmd.
func (o *origin) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noCache, "no-cache", false, "log in anew, and leave this machine's cache alone")
	cmd.Flags().StringVar(&o.from, "from", "", "take the token from this `STORE`, where somebody shares it, and don't log in (default: in a command of share, what that shares)")
	must(cmd.RegisterFlagCompletionFunc("from", completeStores))
}

// token returns a token from there that is valid for at least minTTL.
func (o *origin) token(cmd *cobra.Command, a *app, minTTL time.Duration) (shsession.Token, error) {
	ctx := cmd.Context()
	if err := notEmpty(cmd, "from"); err != nil {
		return shsession.Token{}, err
	}
	from, inherited := o.from, false
	if from == "" && !logsIn(cmd) {
		from, inherited = sharedWithUs()
	}
	if from == "" {
		cfg, err := a.loginConfig()
		if err != nil {
			return shsession.Token{}, err
		}
		return a.token(ctx, cfg, minTTL, o.noCache)
	}
	if o.noCache {
		return shsession.Token{}, usage(cmd, "--no-cache is about logging in, and --from doesn't log in")
	}
	t, err := a.collect(ctx, from)
	if err == nil && t.Remaining() == 0 {
		err = expired(t)
	}
	if inherited && (errors.Is(err, shsession.ErrNotShared) || errors.Is(err, errShareExpired)) {
		err = withHint(err, nameVariable+" names it, which `shsession share` sets for its command: unset it, or add --no-cache, to log in")
	}
	if err == nil && t.Remaining() < minTTL {
		err = withHint(fmt.Errorf("the shared token has %s left, less than %s", lifeText(t.Remaining()), lifeText(minTTL)),
			"whoever shares it renews it shortly before it ends: ask for less with --min-ttl, or wait")
	}
	return t, err
}

// nameVariable is how "shsession share" tells its command the name of the segment.
const nameVariable = "SHSESSION_NAME"

// sharedWithUs returns the STORE that a share has told us of, its command: "" if there is none.
func sharedWithUs() (store string, ok bool) {
	name := os.Getenv(nameVariable)
	if name == "" {
		return "", false
	}
	return "shm:" + name, true
}

// logsIn reports whether a flag says how to log in, which is then what's wanted.
func logsIn(cmd *cobra.Command) bool {
	return slices.ContainsFunc([]string{"no-cache", "profile", "preset", "config"}, cmd.Flags().Changed)
}

// collect returns the token that is in a STORE, expired or not.
func (a *app) collect(ctx context.Context, text string) (shsession.Token, error) {
	store, err := a.openStore(text)
	if err != nil {
		return shsession.Token{}, err
	}
	t, err := store.Load(ctx)
	if _, local := store.(*shm.Store); local && text != shm.DefaultName && errors.Is(err, shsession.ErrNotShared) {
		err = withHint(err, fmt.Sprintf("start `shsession share --to %v`", store))
	}
	return t, err
}
