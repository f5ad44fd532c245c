package child

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Programs returns the names of the programs in PATH that begin with start, sorted: the commands that
// a user may be typing.
func Programs(start string) []string {
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
