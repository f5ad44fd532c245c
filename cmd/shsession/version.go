package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
)

// revision is that of the source, where the linker is told of it (-X main.revision=…) because the
// source's history isn't at hand: in the build of the container image.
var revision string

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
				return json.NewEncoder(a.Out).Encode(b)
			}
			line := fmt.Sprintf("shsession %s (%s, %s", b.Version, b.Go, b.Platform)
			if b.Revision != "" {
				line += ", revision " + b.Revision
			}
			if b.Modified {
				line += ", modified"
			}
			_, err := fmt.Fprintln(a.Out, line+")")
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the version as JSON")
	return cmd
}

func buildInfo() build {
	b := build{Revision: revision, Version: shsession.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
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
