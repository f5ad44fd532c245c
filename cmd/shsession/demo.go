package main

import (
	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/demo"
)

func (a *app) demoCommand() *cobra.Command {
	var goroutines bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Try shsession, without credentials or a network",
		Long: `demo runs a development identity service in this process, logs in there, and keeps the
token fresh through several lifetimes. Then it shares a token with eight worker processes
that call an API all the time, kills a worker, kills the sharer, and starts a process that
joins them (Join) and renews the token. demo takes 13 seconds, and fails if a request fails.`,
		Example: "  shsession demo",
		Args:    arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), demo.Options{Out: a.Out, Logger: a.Logger(), Goroutines: goroutines})
		},
	}
	cmd.Flags().BoolVar(&goroutines, "goroutines", false, "run the workers as goroutines, and kill none")
	return cmd
}

// demoProcessCommand is the command that the demo starts its processes with.
func (a *app) demoProcessCommand() *cobra.Command {
	return &cobra.Command{
		Use:    demo.ProcessCommand,
		Short:  "Run one of the demo's processes",
		Hidden: true,
		Args:   arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.RunProcess(cmd.Context(), a.in, a.Out)
		},
	}
}
