//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package endpointprofile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// A registration is a file that is locked for as long as its process lives. A nil registration
// is none.
type registration struct{ file *os.File }

// register makes a profile's registration.
func register(dir, name string) (*registration, error) {
	file, err := os.OpenFile(registrationPath(dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	r := &registration{file}
	if err := lock(file); err != nil {
		r.end()
		return nil, fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	return r, nil
}

// end removes the registration.
func (r *registration) end() {
	if r == nil {
		return
	}
	_ = os.Remove(r.file.Name()) // while it is locked, so that nobody else does
	_ = r.file.Close()
}

// isRegistered reports whether the process that made a profile lives, or may live, and removes
// the registration of one that doesn't. No process makes a registration meanwhile: that is done
// in turns at config.toml.
func isRegistered(dir, name string) bool {
	file, err := os.OpenFile(registrationPath(dir, name), os.O_RDWR|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	if err := lock(file); err != nil {
		_ = file.Close()
		return true
	}
	(&registration{file}).end()
	return false
}

func lock(file *os.File) error { return syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

func registrationPath(dir, name string) string { return filepath.Join(dir, "."+name+".lock") }
