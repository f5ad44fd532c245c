//go:build unix

package filesink

import (
	"fmt"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

func checkSupported(Options) error { return nil }

func lookupUser(name string) (int, error) {
	if id, ok := parseID(name); ok {
		return id, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return -1, fmt.Errorf("owner %q: %w", name, err)
	}
	return strconv.Atoi(u.Uid)
}

func lookupGroup(name string) (int, error) {
	if id, ok := parseID(name); ok {
		return id, nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return -1, fmt.Errorf("group %q: %w", name, err)
	}
	return strconv.Atoi(g.Gid)
}

// parseID reads a user's or group's number. The largest one means none to chown(2).
func parseID(text string) (int, bool) {
	id, err := strconv.ParseUint(text, 10, 32)
	return int(id), err == nil && id < 1<<32-1
}

// grant gives a new file its owner and then its mode: never the mode first,
// which would let in the group that the file had before.
func (a access) grant(f *os.File) error {
	if a.uid != -1 || a.gid != -1 {
		if err := f.Chown(a.uid, a.gid); err != nil {
			return fmt.Errorf("the token's file can't be given to another owner or group: %w", err)
		}
	}
	return f.Chmod(a.mode)
}

// openFile opens a file for reading. It doesn't wait for the other end of a named pipe.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
}
