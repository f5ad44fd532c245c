package main

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/shm"
)

// segmentNames returns the names of the segments that hold a token.
func segmentNames(cmd *cobra.Command) []string {
	segments, err := shm.List(cmd.Context())
	if err != nil {
		return nil // nothing can be offered, and nobody is there to be told
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

// completeStores completes a STORE that is read: a segment's name, or the beginning of a URL.
func completeStores(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	return completeStart(typed, segmentNames(cmd), func(kind sinkKind) bool { return kind.isStore })
}

// completeSinks completes a place to put a token: the beginning of a URL, or a file's path behind that.
func completeSinks(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	for _, kind := range sinkKinds() {
		scheme, path, isURL := strings.Cut(typed, ":")
		if !isURL || kind.isStore || !slices.Contains(kind.schemes, scheme) {
			continue
		}
		var paths []string
		for _, file := range filesFrom(path) {
			paths = append(paths, scheme+":"+file)
		}
		return paths, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	return completeStart(typed, nil, func(sinkKind) bool { return true })
}

// completeStart completes what is typed to one of some names, or the beginning of a URL, behind which there is more to type.
func completeStart(typed string, names []string, willDo func(sinkKind) bool) ([]string, cobra.ShellCompDirective) {
	var found []string
	for _, name := range names {
		for _, written := range []string{name, "shm:" + name} {
			if strings.HasPrefix(written, typed) && strings.Contains(typed, ":") == strings.Contains(written, ":") {
				found = append(found, written)
			}
		}
	}
	if len(found) > 0 && typed != "" {
		return found, cobra.ShellCompDirectiveNoFileComp
	}
	for _, kind := range sinkKinds() {
		if start := kind.form[:strings.IndexAny(kind.form, "NHP")]; willDo(kind) && strings.HasPrefix(start, typed) {
			found = append(found, start)
		}
	}
	return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// filesFrom returns the files whose paths begin like this, and directories with a slash behind them.
func filesFrom(start string) []string {
	dir, base := filepath.Split(start)
	entries, err := os.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return nil
	}
	var files []string
	for _, entry := range entries {
		switch name := entry.Name(); {
		case !strings.HasPrefix(name, base), base == "" && strings.HasPrefix(name, "."):
		case entry.IsDir():
			files = append(files, dir+name+string(filepath.Separator))
		default:
			files = append(files, dir+name)
		}
	}
	return files
}

// completeCommand completes the command behind --, and leaves its arguments to the shell, which knows files.
func completeCommand(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	switch {
	case !slices.Contains(os.Args, "--"): // cobra doesn't tell
		return []string{"--"}, cobra.ShellCompDirectiveNoFileComp
	case len(args) > 0 || strings.ContainsRune(typed, filepath.Separator):
		return nil, cobra.ShellCompDirectiveDefault
	}
	return programs(typed), cobra.ShellCompDirectiveDefault
}

// programs returns the names in PATH that begin like this.
func programs(start string) []string {
	var names []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // as a shell does
		}
		for _, entry := range entries {
			if !strings.HasPrefix(entry.Name(), start) {
				continue
			}
			info, err := os.Stat(filepath.Join(dir, entry.Name()))
			if err == nil && info.Mode().IsRegular() && (info.Mode()&0o111 != 0 || runtime.GOOS == "windows") {
				names = append(names, entry.Name())
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
