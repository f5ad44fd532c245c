package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) headersCommand() *cobra.Command {
	var (
		from   tokenFrom
		format string
	)
	cmd := &cobra.Command{
		Use:   "headers",
		Short: "Print the header that authorises a request",
		Long: `headers prints the Authorization header for a request, with the token that "shsession
token" prints: as a line (http, and curl, which reads the line with -H @FILE, so that
the token isn't in its arguments), or as a JSON object.`,
		Example: `  curl -H @<(shsession headers) https://services.sentinel-hub.com/…
  shsession headers --format json`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, err := from.token(cmd, a, 0)
			if err != nil {
				return err
			}
			bearer := "Bearer " + t.AccessToken()
			if format == "json" {
				return json.NewEncoder(a.Out).Encode(map[string]string{"Authorization": bearer})
			}
			_, err = fmt.Fprintf(a.Out, "Authorization: %s\n", bearer)
			return err
		},
	}
	addEnum(cmd, &format, "format", "how to print the header", "http", "curl", "json")
	from.flags(cmd)
	return cmd
}
