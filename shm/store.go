// Package shm shares a token with the other processes of this machine, in shared memory
// that the Python package sentinelhub reads and writes too.
//
// [Open] names a segment; the [Store] it returns is what shsession.Share, Join, Follow
// and Collect take. [List] finds every segment of this user, and [Remove] forgets one.
//
// A segment is the file /dev/shm/NAME of mode 0600, which holds the token's JSON and then
// NUL bytes. It is replaced by rename, so that a reader sees the old token or the new
// one. A sharer that watches its segment (see [Store.Watch]) puts it back when a Python
// reader deletes it on exit, as Python's shared memory does.
//
// Only Linux is supported. Elsewhere every function returns an error that wraps
// [errors.ErrUnsupported].
package shm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/shsession/shsession"
)

// DefaultName is the segment that the Python package uses when none is named.
const DefaultName = "sh-session-token"

// maxName is the length in bytes of the longest name, which is a file's.
const maxName = 255

// A Store is a segment of shared memory. Open makes one.
//
// Its methods may be called by several goroutines at once. Two Stores of one name are
// like two processes that share it.
type Store struct {
	name string
	state
}

// Open returns the Store of the segment with that name. It touches no file, so the
// segment need not exist. A name is 1 to 255 bytes long, has no slash and no NUL byte,
// and doesn't start with a dot.
func Open(name string) (*Store, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := supported(); err != nil {
		return nil, err
	}
	return &Store{name: name, state: newState(name)}, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name of a shared memory segment is empty")
	case len(name) > maxName:
		return fmt.Errorf("the name of a shared memory segment is %d bytes long, more than %d", len(name), maxName)
	case strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("the name %q of a shared memory segment has a slash or a NUL byte in it", name)
	case name[0] == '.':
		return fmt.Errorf("the name %q of a shared memory segment starts with a dot", name)
	}
	return nil
}

// String returns "shm:" and the name.
func (s *Store) String() string { return "shm:" + s.name }

// A Segment is what List found under one name.
type Segment struct {
	Name     string
	Token    shsession.Token
	Modified time.Time          // when the token was published
	Sharers  []shsession.Sharer // the live processes that keep it in place and fresh

	// Orphan: the processes that shared it died without withdrawing it. With neither
	// Sharers nor Orphan, the segment is a cache that Join made, or belongs to a Python
	// process: they don't say who they are.
	Orphan bool
}

// An UntrustedError says that the file under a segment's name isn't believed, because
// somebody else may have put it there.
type UntrustedError struct {
	Path   string
	UID    int    // the owner's user id
	Reason string // what is wrong with it
}

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("%s is not a token to trust: it %s (owner: uid %d); have its owner or root remove it, or use another name (--name)", e.Path, e.Reason, e.UID)
}
