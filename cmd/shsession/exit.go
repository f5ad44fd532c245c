package main

import (
	"context"
	"errors"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/share"
	"github.com/shsession/shsession/internal/signals"
	"github.com/shsession/shsession/internal/status"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// Exit codes. A signal that ended the command early adds its number to 128.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitCredentials = 3 // refused or missing
	exitNotShared   = 4 // no token is shared there, or the shared token has expired
)

// exit writes err, if there is one, with a hint for the user, and returns the exit code. If a key of
// the terminal (^C) has ended this process or its command, exit doesn't return: it ends the process
// by the same signal, so that the shell ends its loop or script too.
func (a *app) exit(ctx context.Context, err error) int {
	defer a.Flush()
	if err == nil {
		return exitOK
	}
	var command *share.ExitError
	if errors.As(err, &command) && command.Err == nil {
		if command.Key != 0 {
			a.Flush()
			child.EndBy(command.Key)
		}
		return command.Code
	}
	var (
		signal       signals.Interrupted
		notWithdrawn *share.NotWithdrawnError
	)
	if !errors.As(err, &notWithdrawn) && (errors.As(context.Cause(ctx), &signal) || errors.As(err, &signal)) {
		a.Flush()
		signal.ShowShell()
		return signal.Code()
	}
	a.Fail(err, usererror.HintFor(err))
	return exitCode(err)
}

func exitCode(err error) int {
	var (
		unknown *shconfig.UnknownProfileError
		refused *shsession.AuthError
		command *share.ExitError
	)
	switch {
	case errors.As(err, &command):
		return command.Code
	case usererror.IsMistake(err), errors.As(err, &unknown), errors.Is(err, shconfig.ErrUnknownPreset):
		return exitUsage
	case errors.As(err, &refused), errors.Is(err, shsession.ErrNoCredentials):
		return exitCredentials
	case errors.Is(err, shsession.ErrNotShared), errors.Is(err, status.ErrExpired):
		return exitNotShared
	}
	return exitFailure
}
