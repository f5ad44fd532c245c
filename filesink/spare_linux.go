package filesink

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// A spare is a file without a name that is ready to be linked into the place of the
// real one, which is quicker than to write a file then, and leaves nothing behind if the
// process dies. A nil spare does nothing.
type spare struct{ file *os.File }

// newSpare returns a spare that holds t, or nil if the file system can't make one
// (O_TMPFILE: NFS can't, nor can FAT). It is called in turn.
func (s *Sink) newSpare(t shsession.Token) *spare {
	dir := filepath.Dir(s.path)
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil
	}
	sp := &spare{os.NewFile(uintptr(fd), dir)}
	err = s.access.grant(sp.file)
	if err == nil {
		_, err = sp.file.Write(s.opts.Format.content(t))
	}
	if err != nil {
		sp.close()
		return nil
	}
	return sp
}

// link gives the spare its name and reports whether it did: it doesn't if
// the name is in use. It can do so once.
func (sp *spare) link(path string) bool {
	if sp == nil {
		return false
	}
	// The link in /proc is what an unprivileged process can name a descriptor by.
	fd := fmt.Sprintf("/proc/self/fd/%d", sp.file.Fd())
	return unix.Linkat(unix.AT_FDCWD, fd, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW) == nil
}

func (sp *spare) close() {
	if sp != nil {
		sp.file.Close()
	}
}
