package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shsession/shsession/internal/nearest"
	"github.com/shsession/shsession/internal/usererror"
)

// usage returns a mistake in the use of cmd, with a hint at its help.
func usage(cmd *cobra.Command, format string, args ...any) error {
	return usererror.OfUse(cmd.CommandPath(), fmt.Errorf(format, args...))
}

// notEmpty returns a mistake if one of the flags is given an empty value, such as a script's unset variable.
func notEmpty(cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		if f := cmd.Flags().Lookup(flag); f.Changed && f.Value.String() == "" {
			return usage(cmd, "--%s is empty", flag)
		}
	}
	return nil
}

// flagError turns an error in a flag into a mistake with a hint.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if strings.Contains(err.Error(), "missing unit in duration") {
		return usererror.WithHint(usererror.Mistake(err), "a time has a unit, such as 10s or 10m")
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := nearestFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			return usererror.WithHint(usererror.Mistake(err), "did you mean --"+near+"?")
		}
	}
	return usage(cmd, "%w", err)
}

// nearestFlag returns the command's flag that was probably meant by name, "" if there is none.
func nearestFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	})
	return nearest.To(name, names)
}

// subcommandOnly is the Args of a command that only has subcommands.
func subcommandOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	err := fmt.Errorf("unknown command %q", strings.TrimPrefix(cmd.CommandPath()+" ", "shsession ")+args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return usererror.WithHint(usererror.Mistake(err), "did you mean `"+cmd.CommandPath()+" "+near[0]+"`?")
	}
	return usererror.OfUse(cmd.CommandPath(), err)
}

// arguments is the Args of a command that takes least to most arguments.
func arguments(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > most && most == 0:
			return usage(cmd, "%s takes no arguments, but got %q", cmd.Name(), args[0])
		case len(args) > most:
			return usage(cmd, "%s takes at most %d argument, but got %q too", cmd.Name(), most, args[most])
		case len(args) < least:
			return usage(cmd, "an argument is missing: %s", cmd.UseLine())
		}
		return nil
	}
}
