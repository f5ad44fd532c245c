//go:build unix

package dirstore_test

import (
	"errors"
	"os"
)

// spoils are ways to make a private directory one that isn't. One that this user may not go
// returns fs.ErrPermission.
func spoils() map[string]func(base string) error {
	return map[string]func(base string) error{
		"open to others": func(base string) error { return os.Chmod(base, 0o755) },
		"another user's": func(base string) error { return os.Chown(base, 12345, -1) },
		"a link": func(base string) error {
			return errors.Join(os.Rename(base, base+".away"), os.Chmod(base+".away", 0o711), os.Symlink(base+".away", base))
		},
	}
}
