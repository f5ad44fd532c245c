package shm

import (
	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/dirstore"
)

// here returns the place of this system's tokens. It goes by what doesn't change while the
// system runs, so that all processes choose alike: whether dir is there, and whether its
// file system can be written at all. A full one is still the place.
func here() (place, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err == nil && fs.Flags&unix.ST_RDONLY == 0 {
		return devShm{}, nil
	}
	base, err := dirstore.DefaultBase()
	return privateDir(base), err
}
