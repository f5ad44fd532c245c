package shm

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/fileowner"
)

// dir is where glibc and musl keep POSIX shared memory.
const dir = "/dev/shm"

const (
	// spareBytes is how many NUL bytes follow the token, as many as in the Python
	// package: its sharer rewrites the segment in place and may need a few more.
	spareBytes = 100

	maxSegment = shsession.MaxTokenSize + spareBytes
)

// errUnsteady comes with a segment that changes whenever it is read.
var errUnsteady = errors.New("something is rewriting it without pause")

// errEmpty comes with a segment that is there and has nothing in it: Python's sharer
// creates one before it writes to it.
var errEmpty = errors.New("it is empty")

// A fileID tells whether two names are the same file.
type fileID struct{ dev, ino uint64 }

func idOf(st *unix.Stat_t) fileID { return fileID{uint64(st.Dev), uint64(st.Ino)} }

// lstatID returns the file at path.
func lstatID(path string) (fileID, error) {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return fileID{}, &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	return idOf(&st), nil
}

// A segment is the content of a segment's file at one time.
type segment struct {
	token    shsession.Token
	data     []byte // the token's bytes, without the NULs
	file     fileID
	modified time.Time
}

// readSegment reads the segment at path. If its bytes are those of last, it returns last
// itself, which saves parsing them. The error wraps ErrNotShared if there is no segment,
// or none that holds a token.
func readSegment(path string, last *segment) (*segment, error) {
	fd, st, err := openTrusted(path)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var small [4096]byte // stays on the stack
	buf := small[:]
	if int(st.Size) > len(small) {
		buf = make([]byte, st.Size)
	}
	data, err := readData(fd, path, buf)
	if err != nil {
		return nil, err
	}
	if last != nil && bytes.Equal(data, last.data) {
		return last, nil // and that did stand still
	}
	seg := &segment{data: bytes.Clone(data), file: idOf(&st), modified: time.Unix(st.Mtim.Unix())}
	if err := seg.parse(fd, path, buf); err != nil {
		return nil, err
	}
	return seg, nil
}

// parse parses the data and makes sure that they stood still: Python's sharer rewrites a
// segment in place. It reads into buf, which has room for the whole segment.
func (seg *segment) parse(fd int, path string, buf []byte) error {
	token, parseErr := shsession.ParseToken(seg.data)
	// Parsing takes longer than that sharer takes to write.
	steady, err := seg.standsStill(fd, path, buf, 0)
	for wait := 10 * time.Microsecond; err == nil && !steady; wait += 5 * time.Microsecond {
		if wait > 100*time.Microsecond {
			return fmt.Errorf("%s: %w", path, errUnsteady)
		}
		if steady, err = seg.standsStill(fd, path, buf, wait); steady {
			token, parseErr = shsession.ParseToken(seg.data)
		}
	}
	if err != nil {
		return err
	}
	if parseErr != nil {
		return fmt.Errorf("%w in %s: %w", shsession.ErrNotShared, path, parseErr)
	}
	seg.token = token
	return nil
}

// standsStill reads the segment again, for as long as wait and once at least, and reports
// whether the data were always the same. If not, they are what was read last.
func (seg *segment) standsStill(fd int, path string, buf []byte, wait time.Duration) (bool, error) {
	for start := time.Now(); ; {
		data, err := readData(fd, path, buf)
		if err != nil {
			return false, err
		}
		if !bytes.Equal(data, seg.data) {
			seg.data = bytes.Clone(data)
			return false, nil
		}
		if time.Since(start) >= wait {
			return true, nil
		}
	}
}

// readData reads the file into buf, up to the NULs at its end.
func readData(fd int, path string, buf []byte) ([]byte, error) {
	n, err := unix.Pread(fd, buf, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	data := bytes.TrimRight(buf[:n], "\x00")
	if len(data) == 0 {
		return nil, fmt.Errorf("%w in %s: %w", shsession.ErrNotShared, path, errEmpty)
	}
	return data, nil
}

// openTrusted opens a file to read it, once it is known whose it is. The caller closes
// fd.
func openTrusted(path string) (fd int, st unix.Stat_t, err error) {
	fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return -1, st, openError(path, err)
	}
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return -1, st, &fs.PathError{Op: "fstat", Path: path, Err: err}
	}
	if err := trust(path, &st); err != nil {
		unix.Close(fd)
		return -1, st, err
	}
	return fd, st, nil
}

// openError explains why the file at path can't be opened.
func openError(path string, err error) error {
	if err == unix.ENOENT {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("this system has no shared memory: %w", err)
		}
		return fmt.Errorf("%w in %s", shsession.ErrNotShared, path)
	}
	var st unix.Stat_t
	if unix.Lstat(path, &st) == nil {
		if err := trust(path, &st); err != nil {
			return err
		}
	}
	return &fs.PathError{Op: "open", Path: path, Err: err}
}

// trust returns an UntrustedError unless st is of a file that only this user and root can
// have written, and of a size that a segment can have.
func trust(path string, st *unix.Stat_t) error {
	untrusted := func(reason string) error {
		return &UntrustedError{Path: path, UID: int(st.Uid), Reason: reason}
	}
	owner := fileowner.Of(st.Uid)
	switch {
	case !owner.Trusted():
		return untrusted("belongs to " + owner.String())
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return untrusted("is not a regular file")
	case st.Mode&0o022 != 0:
		return untrusted("can be written by others")
	case st.Size > maxSegment:
		return untrusted(fmt.Sprintf("is %d bytes long, more than a token", st.Size))
	}
	return nil
}

// trustOwn is trust of a file that this process is about to lock or replace: root's won't
// do.
func trustOwn(path string, st *unix.Stat_t) error {
	if owner := fileowner.Of(st.Uid); owner != fileowner.Self {
		return &UntrustedError{Path: path, UID: int(st.Uid), Reason: "belongs to " + owner.String()}
	}
	return trust(path, st)
}
