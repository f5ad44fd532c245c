package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/place"
	"github.com/shsession/shsession/shm"
)

// segmentNames returns the names of the segments that hold a token.
func segmentNames(cmd *cobra.Command) []string {
	segments, err := shm.List(cmd.Context())
	if err != nil {
		return nil // a completion has no way to report an error
	}
	var names []string
	for _, s := range segments {
		names = append(names, s.Name)
	}
	return names
}

// completeSegments completes the name of a segment that holds a token.
func completeSegments(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return segmentNames(cmd), cobra.ShellCompDirectiveNoFileComp
}

// completeStores completes a STORE that is read.
func completeStores(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return completed(place.CompleteStore(typed, segmentNames(cmd)))
}

// completeSinks completes a place to share a token in.
func completeSinks(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return completed(place.CompleteSink(typed))
}

// completed returns the completions. more says that the user types on behind one: no space is added.
func completed(found []string, more bool) ([]string, cobra.ShellCompDirective) {
	if more {
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}

// completeCommand completes the command behind --, and leaves its arguments to the shell, which knows files.
func completeCommand(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	switch {
	case !slices.Contains(os.Args, "--"): // cobra doesn't say whether -- was typed
		return []string{"--"}, cobra.ShellCompDirectiveNoFileComp
	case len(args) > 0 || strings.ContainsRune(typed, filepath.Separator):
		return nil, cobra.ShellCompDirectiveDefault
	}
	return child.Programs(typed), cobra.ShellCompDirectiveDefault
}
