package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
)

// build describes the program.
type build struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Revision string `json:"revision,omitempty"` // of the source, if it is known
	Time     string `json:"time,omitempty"`     // of the revision
	Modified bool   `json:"modified,omitempty"` // since the revision
}

func (a *app) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  shsession version --json",
		Args:    arguments(0, 0),
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo()
			if asJSON {
				return json.NewEncoder(a.out).Encode(b)
			}
			line := fmt.Sprintf("shsession %s (%s, %s", b.Version, b.Go, b.Platform)
			if b.Revision != "" {
				line += ", revision " + b.Revision
			}
			if b.Modified {
				line += ", modified"
			}
			_, err := fmt.Fprintln(a.out, line+")")
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func buildInfo() build {
	b := build{Version: shsession.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
