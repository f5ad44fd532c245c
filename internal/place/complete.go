package place

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CompleteStore completes a STORE that a user types: one of the segments of these names, or the
// beginning of a URL. more reports whether there is more to type behind what it returns.
func CompleteStore(typed string, segments []string) (found []string, more bool) {
	for _, name := range segments {
		for _, written := range []string{name, "shm:" + name} {
			if strings.HasPrefix(written, typed) && strings.Contains(typed, ":") == strings.Contains(written, ":") {
				found = append(found, written)
			}
		}
	}
	if len(found) > 0 && typed != "" {
		return found, false
	}
	return append(found, beginnings(typed, true)...), true
}

// CompleteSink completes a place to share a token in: the beginning of a URL, and behind the scheme
// of a file the file's path.
func CompleteSink(typed string) (found []string, more bool) {
	scheme, path, isURL := strings.Cut(typed, ":")
	for _, kind := range kinds() {
		if !isURL || kind.isStore || !slices.Contains(kind.schemes, scheme) {
			continue
		}
		for _, file := range filesFrom(path) {
			found = append(found, scheme+":"+file)
		}
		return found, true
	}
	return beginnings(typed, false), true
}

// beginnings returns what the URLs begin with that begin with what is typed.
func beginnings(typed string, storesOnly bool) (found []string) {
	for _, kind := range kinds() {
		start := kind.form[:strings.IndexAny(kind.form, "NHP")]
		if (kind.isStore || !storesOnly) && strings.HasPrefix(start, typed) {
			found = append(found, start)
		}
	}
	return found
}

// filesFrom returns the files whose paths begin with start; a directory's ends with a slash.
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
