package shm

import (
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// staleTemp is the age from which an unlocked temp file is a dead process's. A live process
// locks the file just after it has created it.
const staleTemp = 5 * time.Second

// A tempFile is a new file, to be renamed. It is locked by flock(2), which tells that its
// writer lives, until it is removed, renamed or not.
type tempFile struct {
	path string
	fd   int
}

// createTemp creates a file of mode 0600 that holds data.
func createTemp(path string, data []byte) (*tempFile, error) {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, openError(path, err)
	}
	temp := &tempFile{path, fd}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		temp.remove()
		return nil, &fs.PathError{Op: "flock", Path: path, Err: err}
	}
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil {
			temp.remove()
			return nil, &fs.PathError{Op: "write", Path: path, Err: err}
		}
		data = data[n:]
	}
	return temp, nil
}

// remove removes the file, if it's still there by that name, and lets go of it.
func (t *tempFile) remove() {
	unix.Unlink(t.path)
	unix.Close(t.fd)
}

// isDeadTemp reports whether the writer of a temp file died before it renamed that.
func isDeadTemp(path string) bool {
	fi, err := os.Lstat(path)
	if err != nil || time.Since(fi.ModTime()) < staleTemp {
		return false
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.Flock(fd, unix.LOCK_SH|unix.LOCK_NB) == nil
}
