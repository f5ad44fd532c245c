package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
)

// An origin is where token, headers and info get the token from, as their flags say: a STORE where somebody
// shares it, or this machine's cache and, where that has none, a login.
type origin struct {
	from    string
	noCache bool
}

// flags adds them to cmd.
func (o *origin) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noCache, "no-cache", false, "log in anew, and leave this machine's cache alone")
	cmd.Flags().StringVar(&o.from, "from", "", "take the token from this `STORE`, where somebody shares it, and don't log in")
}

// token returns a token from there that is valid for at least minTTL.
func (o *origin) token(cmd *cobra.Command, a *app, minTTL time.Duration) (shsession.Token, error) {
	ctx := cmd.Context()
	if o.from == "" && cmd.Flags().Changed("from") {
		return shsession.Token{}, usage(cmd, "--from is empty")
	}
	if o.from == "" {
		cfg, err := a.loginConfig()
		if err != nil {
			return shsession.Token{}, err
		}
		return a.token(ctx, cfg, minTTL, o.noCache)
	}
	if o.noCache {
		return shsession.Token{}, usage(cmd, "--no-cache is about logging in, and --from doesn't log in")
	}
	t, err := a.collect(ctx, o.from)
	if err == nil && t.Remaining() == 0 {
		err = expired(t)
	}
	if err == nil && t.Remaining() < minTTL {
		err = withHint(fmt.Errorf("the shared token has %s left, less than %s", lifeText(t.Remaining()), lifeText(minTTL)),
			"whoever shares it renews it shortly before it ends: ask for less with --min-ttl, or wait")
	}
	return t, err
}

// collect returns the token that is in a STORE, expired or not.
func (a *app) collect(ctx context.Context, text string) (shsession.Token, error) {
	store, err := a.openStore(text)
	if err != nil {
		return shsession.Token{}, err
	}
	return store.Load(ctx)
}
