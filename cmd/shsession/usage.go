package main

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/shsession/shsession/internal/nearest"
)

// A usageError is a mistake on the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usage returns a mistake in the use of cmd, with a hint at its help.
func usage(cmd *cobra.Command, format string, args ...any) error {
	return withHint(&usageError{fmt.Errorf(format, args...)}, "see `"+cmd.CommandPath()+" --help`")
}

// notEmpty returns a mistake if one of the flags is there and empty, as an unset variable of a script makes it.
func notEmpty(cmd *cobra.Command, flags ...string) error {
	for _, flag := range flags {
		if f := cmd.Flags().Lookup(flag); f.Changed && f.Value.String() == "" {
			return usage(cmd, "--%s is empty", flag)
		}
	}
	return nil
}

// flagError is what becomes of errors in flags.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if near := nearestFlag(cmd, unknown.GetSpecifiedName()); near != "" {
			return withHint(&usageError{err}, "did you mean --"+near+"?")
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

// subcommandOnly is the Args of a command that is a list of others.
func subcommandOnly(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	err := &usageError{fmt.Errorf("unknown command %q", strings.TrimPrefix(cmd.CommandPath()+" ", "shsession ")+args[0])}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return withHint(err, "did you mean `"+cmd.CommandPath()+" "+near[0]+"`?")
	}
	return withHint(err, "see `"+cmd.CommandPath()+" --help`")
}

// arguments is the Args of a command that takes from least to most of them.
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

// listenError makes a mistake on the command line of an address that nobody can listen on.
func listenError(err error) error {
	var address *net.AddrError
	if errors.As(err, &address) {
		return &usageError{err}
	}
	return err
}

// choice is a flag that has one of some values.
type choice struct {
	value   string
	choices []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.choices, "|") }

func (c *choice) Set(value string) error {
	for _, known := range c.choices {
		if value == known {
			c.value = value
			return nil
		}
	}
	return fmt.Errorf("it is one of %s", strings.Join(c.choices, ", "))
}
