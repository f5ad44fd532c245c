// Package shm shares a token with the other processes of this machine, in shared memory
// that the Python package sentinelhub reads and writes too.
//
// [Open] names a segment; the [Store] it returns is what shsession.Share, Join, Follow
// and Collect take. [List] finds every segment of this user, and [Remove] removes one.
//
// A segment is the file /dev/shm/NAME of mode 0600, which holds the token's JSON and then
// NUL bytes. It is replaced by rename, so that a reader sees the old token or the new
// one. A sharer that watches its segment (see [Store.Watch]) puts it back when a Python
// reader deletes it on exit, as Python's shared memory does.
//
// On systems without /dev/shm (macOS, Windows, and containers where /dev/shm is missing or
// read-only), a Store keeps its token in a private directory of this user instead, in
// [os.UserCacheDir]. The Python package can't read the token there. See [Store.Dir]. On
// Windows, a Store that is watching also shows the token to the Python package in a named
// mapping of 64 KiB, which the user's processes of the same logon session can open.
package shm

import (
	"context"
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
// Several goroutines may call its methods at once. Two Stores of one name are like two
// processes that share under that name.
type Store struct {
	name  string
	place place
	in    backend
}

// Open returns the Store of the segment with that name. It touches no file, so the
// segment need not exist. A name is 1 to 255 bytes long, has no slash, backslash or NUL
// byte, and doesn't start with a dot. Windows gives a name with a backslash a meaning of its
// own. It is an error if this user has neither shared memory nor a private directory, for
// example without HOME.
func Open(name string) (*Store, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	place, err := here()
	if err != nil {
		return nil, err
	}
	return &Store{name: name, place: place, in: place.open(name)}, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name of a shared memory segment is empty")
	case len(name) > maxName:
		return fmt.Errorf("the name of a shared memory segment is %d bytes long, more than %d", len(name), maxName)
	case strings.ContainsAny(name, "/\\\x00"):
		return fmt.Errorf("the name %q of a shared memory segment has a slash, a backslash or a NUL byte in it", name)
	case name[0] == '.':
		return fmt.Errorf("the name %q of a shared memory segment starts with a dot", name)
	}
	return nil
}

// String returns "shm:" and the name.
func (s *Store) String() string { return "shm:" + s.name }

// Dir returns the private directory that holds the tokens of all Stores on a system without
// /dev/shm, and "" where there is shared memory. Python processes can't collect a token from
// that directory, except on Windows while a Store watches it.
func (s *Store) Dir() string { return s.place.dir() }

// Load returns the token in the segment. The error wraps shsession.ErrNotShared if there
// is none, and is an [UntrustedError] if the file there can't be trusted.
//
// Load blocks only if the segment is missing or being rewritten, for a few milliseconds at
// most: a Python reader may have just deleted it. If the segment is empty, as a Python sharer
// creates it, Load blocks for a tenth of a second at most.
func (s *Store) Load(ctx context.Context) (shsession.Token, error) { return s.in.Load(ctx) }

// Publish replaces the token in the segment. It creates the segment if there is none,
// with mode 0600. While the Store is watching, it also keeps a copy to put back.
//
// The segment must be this user's own, or Publish returns an [UntrustedError]. It blocks
// until ctx is done if another process stops while it publishes.
func (s *Store) Publish(ctx context.Context, t shsession.Token) error { return s.in.Publish(ctx, t) }

// Withdraw removes the segment if it still holds the token that this Store published last
// and no other process shares that token. It blocks as Publish does.
func (s *Store) Withdraw(ctx context.Context) error { return s.in.Withdraw(ctx) }

// TryLock takes the segment's lock, or returns a [shsession.LockedError] at once. The
// system frees the lock when its holder dies. The lock is also freed when ctx is done. The
// error is an [UntrustedError] if another user has made the lock's file.
func (s *Store) TryLock(ctx context.Context, pass func(shsession.Note) bool) (held context.Context, unlock func(shsession.Note), err error) {
	return s.in.TryLock(ctx, pass)
}

// Watch keeps the token that this Store published last in place, and registers this process
// as a sharer. In shared memory it uses two goroutines, one of them on a thread of its own,
// which use no processor time while nothing changes. In a private directory, one goroutine
// looks at the token twice a second.
//
// If another process publishes a newer token there, Changed receives, and the watch keeps
// the newer token in place. If this Store has published no token yet, it keeps the present
// one. While a live process shares another account's token there, the error is a
// [*shsession.ConflictError].
// On Windows, it is an error if another user has a mapping of that name.
//
// If the kernel has no more watches for this user, the Watch looks once a second, and its
// method Limited() error returns the reason.
//
// Watch blocks as Publish does, until ctx is done or for 5 seconds at most.
func (s *Store) Watch(ctx context.Context, account shsession.Account) (shsession.Watch, error) {
	return s.in.Watch(ctx, account)
}

// Sharers returns the live processes that share the segment, this one among them, and
// those that died without withdrawing the token. The registrations of the dead are removed
// when another sharer publishes there, or withdraws the token. Python's sharers and processes
// that only Join don't register.
func (s *Store) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	return s.in.Sharers(ctx)
}

// A Segment is one entry of List.
type Segment struct {
	Name     string
	Token    shsession.Token
	Modified time.Time          // when the token was published
	Sharers  []shsession.Sharer // the live processes that keep it in place and fresh

	// Orphan: the processes that shared the token died without withdrawing it. With neither
	// Sharers nor Orphan, the segment is a cache that Join made, or belongs to a Python
	// process: these don't register.
	Orphan bool
}

// An UntrustedError says that a segment's file, or one beside it, isn't used, because another
// user may have written it.
type UntrustedError struct {
	Path   string
	UID    int    // the owner's user id
	Reason string // what is wrong with it
}

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("%s can't be trusted: it %s (owner: uid %d); have its owner or root remove it, or use another name (--name)", e.Path, e.Reason, e.UID)
}
