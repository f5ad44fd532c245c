package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"unicode"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/shconfig"
)

// Exit codes. A signal that ended the command early adds its number to 128.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitCredentials = 3 // refused or missing
	exitNotShared   = 4 // no token is shared there, or none that is still good
)

// exit writes err, if there is one, and a hint where the user can act, and
// returns the exit code. It doesn't return if a key of the terminal has ended us or our command: a shell
// is to see that.
func (a *app) exit(ctx context.Context, err error) int {
	if err == nil {
		return exitOK
	}
	var ended *childExit
	if errors.As(err, &ended) && ended.err == nil {
		if ended.Key != 0 {
			child.EndBy(ended.Key)
		}
		return ended.Code
	}
	var (
		signal interrupted
		left   *notWithdrawn
	)
	if !errors.As(err, &left) && (errors.As(context.Cause(ctx), &signal) || errors.As(err, &signal)) {
		signal.showShell()
		return signal.code()
	}
	a.fail(err)
	return exitCode(err)
}

// fail writes the error that ends us, in the form that the log has.
func (a *app) fail(err error) {
	text, hint := printable(err.Error()), printable(hintFor(err))
	switch {
	case !a.logsRecords():
		fmt.Fprintf(a.err, "shsession: %s\n", text)
		if hint != "" {
			fmt.Fprintf(a.err, "hint: %s\n", hint)
		}
	case hint != "":
		slog.New(a.serviceHandler(slog.LevelInfo)).Error(text, "hint", hint)
	default:
		slog.New(a.serviceHandler(slog.LevelInfo)).Error(text)
	}
}

func exitCode(err error) int {
	var (
		usage   *usageError
		unknown *shconfig.UnknownProfileError
		refused *shsession.AuthError
		ended   *childExit
	)
	switch {
	case errors.As(err, &ended):
		return ended.Code
	case errors.As(err, &usage), errors.As(err, &unknown), errors.Is(err, shconfig.ErrUnknownPreset):
		return exitUsage
	case errors.As(err, &refused), errors.Is(err, shsession.ErrNoCredentials):
		return exitCredentials
	case errors.Is(err, shsession.ErrNotShared), errors.Is(err, errShareExpired):
		return exitNotShared
	}
	return exitFailure
}

// printable makes one line of text that may come from elsewhere: an endpoint's
// words must not control the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ReplaceAll(text, "\n", "; "))
}
