package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/usererror"
)

// How long a command waits that ends by itself: for a person, and for a script or a service, which
// had better wait than fail.
const (
	patienceOfPeople   = 20 * time.Second
	patienceOfPrograms = 3 * time.Minute
)

// A timeout is the flag --timeout of a command.
type timeout struct{ time.Duration }

// add adds the flag. usual says what it is by default.
func (t *timeout) add(cmd *cobra.Command, usual string) {
	cmd.Flags().DurationVar(&t.Duration, "timeout", 0, "give up after this `time`, such as 5s (default "+usual+")")
}

// Defaults: of a command that ends by itself, and of one that goes on until it is stopped.
const (
	usualTimeout = "20s at a terminal, else 3m"
	usualStart   = "20s at a terminal; none for a service, and with --from"
)

// check refuses a time that isn't one.
func (t *timeout) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed("timeout") && t.Duration <= 0 {
		return usage(cmd, "--timeout %v is no time to wait", t.Duration)
	}
	return nil
}

// context returns a context that ends when the command is to give up.
func (t *timeout) context(ctx context.Context, a *app) (context.Context, context.CancelFunc) {
	limit := t.Duration
	if limit == 0 {
		limit = patienceOfPrograms
		if a.isWatched() {
			limit = patienceOfPeople
		}
	}
	late := usererror.WithHint(&lateError{limit}, "--timeout lets it wait for longer")
	return context.WithTimeoutCause(ctx, limit, late)
}

// A lateError is a context.DeadlineExceeded for people.
type lateError struct{ limit time.Duration }

func (e *lateError) Error() string        { return fmt.Sprintf("nothing came within %v", e.limit) }
func (e *lateError) Is(target error) bool { return target == context.DeadlineExceeded }

// ofStart returns context for a command that goes on until it is stopped and that waits for its first
// token, or nil if that wait has no end. logsIn says that the command logs in: without that, it waits
// for another process to share a token.
func (t *timeout) ofStart(a *app, logsIn bool) func(context.Context) (context.Context, context.CancelFunc) {
	if t.Duration == 0 && !(logsIn && a.isWatched()) {
		return nil
	}
	return func(ctx context.Context) (context.Context, context.CancelFunc) { return t.context(ctx, a) }
}

// isWatched reports whether somebody at a terminal sees what the command says.
func (a *app) isWatched() bool { return display.Terminal(a.Err) != nil }

// givesUp makes a command that ends by itself give up after --timeout.
func (a *app) givesUp(cmd *cobra.Command) *cobra.Command {
	var t timeout
	t.add(cmd, usualTimeout)
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := t.check(cmd); err != nil {
			return err
		}
		ctx, cancel := t.context(cmd.Context(), a)
		defer cancel()
		cmd.SetContext(ctx)
		return run(cmd, args)
	}
	return cmd
}
