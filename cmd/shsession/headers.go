package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) headersCommand() *cobra.Command {
	var origin origin
	format := choice{"http", []string{"http", "curl", "json"}}
	cmd := &cobra.Command{
		Use:   "headers",
		Short: "Print the header that authorises a request",
		Long: `headers prints the Authorization header for a request: as a line (http, and curl,
which reads it with -H @FILE and so keeps the token out of its arguments), or as a
JSON object. The token is the one that "shsession token" prints.`,
		Example: `  curl -H @<(shsession headers --format curl) https://services.sentinel-hub.com/…
  shsession headers --format json`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := origin.token(cmd, a, 0)
			if err != nil {
				return err
			}
			bearer := "Bearer " + t.AccessToken()
			if format.value == "json" {
				return json.NewEncoder(a.out).Encode(map[string]string{"Authorization": bearer})
			}
			_, err = fmt.Fprintf(a.out, "Authorization: %s\n", bearer)
			return err
		},
	}
	cmd.Flags().Var(&format, "format", "how to print it")
	must(cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(format.choices, cobra.ShellCompDirectiveNoFileComp)))
	origin.flags(cmd)
	return cmd
}
