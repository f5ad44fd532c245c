package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/ratelimit"
)

// holdTime is how long the proxy holds a request for the limit before it sends the request
// anyway. The Python package waits two minutes for an answer.
const holdTime = 90 * time.Second

// limitHelp describes limits, in the proxy's help.
const limitHelp = `With --limit, requests wait until the service's rate limit allows them. All
proxies that share a limit count their requests together. A POLICY is limits and
a number of requests at a time, such as 300/min,300pu/min,4 (pu: processing
units), or a known name: cdse-free, cdse-download, cdse-openeo, cdse-stac.
"auto" learns the limit from the service's refusals. The count is kept with the
token on this machine, or in the STORE that --limit-in names. A request is held
for 90 seconds at most, and then sent.`

// limitFlags are the flags of a command that limits requests.
type limitFlags struct{ policy, in string }

func (f *limitFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.policy, "limit", "", "keep requests to this rate limit: a `POLICY` such as 300/min,300pu/min,4, or auto")
	flags.StringVar(&f.in, "limit-in", "", "share the limit with all who name this `STORE` (default: those of this machine)")
	must(cmd.RegisterFlagCompletionFunc("limit", cobra.FixedCompletions(append(ratelimit.Presets(), "auto"), cobra.ShellCompDirectiveNoFileComp)))
	must(cmd.RegisterFlagCompletionFunc("limit-in", completeStores))
}

// limiter returns the limiter that the flags ask for, nil without --limit. from is the STORE
// whose token is used, "" for this machine's cache.
func (a *app) limiter(cmd *cobra.Command, f limitFlags, from string) (*ratelimit.Limiter, error) {
	if err := errors.Join(notEmpty(cmd, "limit"), notEmpty(cmd, "limit-in")); err != nil {
		return nil, err
	}
	if f.policy == "" {
		if f.in != "" {
			return nil, usage(cmd, "--limit-in says where the limit is shared, and there is no --limit")
		}
		return nil, nil
	}
	policy, err := ratelimit.ParsePolicy(f.policy)
	if err != nil {
		return nil, usage(cmd, "--limit: %w", err)
	}
	state, err := a.limitState(cmd.Context(), f.in, from)
	if err != nil {
		return nil, err
	}
	logger := a.ServiceLogger()
	a.checkLimit(cmd.Context(), policy, state)
	// The services count Retry-After in milliseconds, and so does the development service.
	return ratelimit.New(ratelimit.Config{
		Policy: policy, State: state, MaxWait: holdTime, RetryAfterUnit: time.Millisecond, Logger: logger,
	})
}

// checkLimit warns at once if other processes have another limit in force, or if the limit can't
// be shared.
func (a *app) checkLimit(ctx context.Context, policy ratelimit.Policy, state ratelimit.State) {
	if state == nil {
		a.Warn("no other process shares this limit: this machine has no place for that; --limit-in names a place")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	status, err := ratelimit.Inspect(ctx, state)
	switch {
	case err != nil:
		a.Warn(fmt.Sprintf("the limit can't be shared at the moment: %v", err))
	case !policy.IsZero() && status.Policy != "" && status.Policy != policy.String():
		a.Warn(fmt.Sprintf("this account was limited to %s, and not to %s: that holds until no process has used it for a minute", status.Policy, policy))
	}
}

// limitState returns the place where a limit is shared, nil if there is none.
func (a *app) limitState(ctx context.Context, in, from string) (ratelimit.State, error) {
	if store := cmp.Or(in, from); store != "" {
		return a.places.Limits(store)
	}
	cfg, err := a.settings.Login(ctx, a.Logger())
	if err != nil {
		return nil, err
	}
	return cache.Limits(cfg)
}
