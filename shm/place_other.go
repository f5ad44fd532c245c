//go:build !linux

package shm

import "github.com/shsession/shsession/internal/dirstore"

// here returns the place of this system's tokens.
func here() (place, error) {
	base, err := dirstore.DefaultBase()
	return privateDir(base), err
}
