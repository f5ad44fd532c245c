package dirstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/storelock"
)

// maxToken is the size in bytes of the largest token's file.
const maxToken = shsession.MaxTokenSize

// A Store is the token of one name. Open makes one.
//
// Its methods may be called by several goroutines at once. Two Stores of one name are like
// two processes that share it.
type Store struct {
	base, name, dir string
	mapping         string                  // its name, "" for none
	last            atomic.Pointer[content] // what Load returned last

	mu        sync.Mutex      // guards the fields below
	published shsession.Token // by this Store, and not withdrawn
	watch     *watch          // nil unless watching
}

// A content is what was read from a token's file.
type content struct {
	data  []byte
	token shsession.Token
}

// Open returns the Store of a name in the base directory. It touches no file.
func Open(base, name string) *Store { return &Store{base: base, name: name, dir: dirOf(name)} }

// OpenMapped is Open, but on Windows, while the Store is watching, its token is also in the
// named mapping of that name, where Python's collect_shared_session finds it. Elsewhere, it
// is Open.
//
// Then Watch returns an error if another user has a mapping of that name. A token of more
// than 64 KiB can't be published.
func OpenMapped(base, name string) *Store {
	s := Open(base, name)
	s.mapping = name
	return s
}

// String returns the name and where it is.
func (s *Store) String() string { return s.name + " in " + s.base }

// Load implements shsession.Store. It blocks for no time.
func (s *Store) Load(ctx context.Context) (shsession.Token, error) {
	if err := context.Cause(ctx); err != nil {
		return shsession.Token{}, err
	}
	root, err := s.open(false)
	if err != nil {
		return shsession.Token{}, err
	}
	defer root.Close()
	return s.read(root)
}

// read returns the token in the directory. The error wraps ErrNotShared if there is none.
func (s *Store) read(root *os.Root) (shsession.Token, error) {
	last := s.last.Load()
	c, err := readToken(root, last)
	if err != nil {
		return shsession.Token{}, fmt.Errorf("%s: %w", s, err)
	}
	if c != last {
		s.last.Store(c)
	}
	return c.token, nil
}

// lookups is how often readToken lists the files before it says that there is no token. While
// tokens are published, a list may miss the new file and the old one, or name a file that is
// removed before it is read.
const lookups = 5

// readToken reads the token with the highest number. If its bytes are those of last, it
// returns last, which saves parsing them.
func readToken(root *os.Root, last *content) (*content, error) {
	for range lookups {
		files, err := list(root)
		if err != nil {
			return nil, err
		}
		newest, _ := numbers(files)
		if newest == "" {
			continue
		}
		data, err := readFile(root, newest, maxToken)
		switch {
		case gone(err):
			continue
		case err != nil:
			return nil, err
		case last != nil && bytes.Equal(data, last.data):
			return last, nil
		}
		token, err := shsession.ParseToken(data)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", shsession.ErrNotShared, err)
		}
		return &content{data, token}, nil
	}
	return nil, shsession.ErrNotShared
}

// numbers returns the token's file that holds, "" if there is none, and its number.
func numbers(files []string) (newest string, highest uint64) {
	for _, file := range files {
		if digits, ok := strings.CutPrefix(file, "token."); ok {
			if n, err := strconv.ParseUint(digits, 10, 64); err == nil && n > highest {
				newest, highest = file, n
			}
		}
	}
	return newest, highest
}

// Publish implements shsession.Store. It blocks until ctx is done if another process stops
// while it publishes.
func (s *Store) Publish(ctx context.Context, t shsession.Token) error {
	data := t.Encode()
	switch {
	case len(data) == 0:
		return errors.New("there is no token to publish")
	case len(data) > maxToken:
		return fmt.Errorf("the token is %d bytes long, more than %d", len(data), maxToken)
	case len(data) > maxMapped && s.mapping != "":
		return fmt.Errorf("the token is %d bytes long, more than the %d that Python processes can read here", len(data), maxMapped)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	root, release, err := s.lockChanges(ctx, true)
	if err != nil {
		return err
	}
	defer release()
	if err := storelock.CheckHeld(ctx, s.heldKey()); err != nil {
		return err
	}
	if err := put(root, data); err != nil {
		return err
	}
	s.mu.Lock()
	s.published = t
	w := s.watch
	if w != nil {
		err = w.keep(t)
	}
	s.mu.Unlock()
	_ = root.Remove("note") // there may be none
	sweep(root, w)
	return err
}

// put publishes a token's bytes under a new number. It is called with the change lock held.
func put(root *os.Root, data []byte) error {
	files, err := list(root)
	if err != nil {
		return err
	}
	_, highest := numbers(files)
	next := "token." + strconv.FormatUint(highest+1, 10)
	if err := writeFile(root, next, data); err != nil {
		return err
	}
	removeTokens(root, files)
	return nil
}

// removeTokens removes the tokens among files. One that can't be removed, since Windows
// keeps what is being read, is removed at the next time.
func removeTokens(root *os.Root, files []string) {
	for _, file := range files {
		if strings.HasPrefix(file, "token.") {
			_ = root.Remove(file)
		}
	}
}

// sweep removes what dead processes left: the files that they were writing, and, if this
// Store shares a token, which w tells, the registrations of dead sharers, whose token has
// been replaced. It is called with the change lock held.
func sweep(root *os.Root, w *watch) {
	files, err := list(root)
	if err != nil {
		return
	}
	for _, file := range files {
		if strings.HasPrefix(file, "temp.") {
			_ = root.Remove(file)
		}
	}
	if w != nil {
		removeDead(root)
	}
}

// Withdraw implements shsession.Store. It removes the token if that is what this Store
// published last and no other process shares it. It blocks as Publish does.
func (s *Store) Withdraw(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	published := s.published
	s.mu.Unlock()
	if published.IsZero() {
		return nil
	}
	root, release, err := s.lockChanges(ctx, false)
	if errors.Is(err, shsession.ErrNotShared) {
		return nil
	}
	if err != nil {
		return err
	}
	defer release()
	return s.withdraw(root)
}

// withdraw is called with the change lock held.
func (s *Store) withdraw(root *os.Root) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	live, _, err := sharers(root, s.watch)
	if err != nil {
		return err
	}
	there, err := readToken(root, nil)
	switch {
	case len(live) > 0: // and the last of them withdraws it
	case errors.Is(err, shsession.ErrNotShared) || err == nil && there.token.Equal(s.published):
		if s.watch != nil {
			s.watch.keepNothing()
		}
		files, err := list(root)
		if err != nil {
			return err
		}
		removeTokens(root, files)
		if _, err := readToken(root, nil); err == nil {
			return fmt.Errorf("the token in %s can't be removed: a program has it open", s)
		}
		_ = root.Remove("note") // there may be none
		removeDead(root)
	case err != nil:
		return err
	}
	s.published = shsession.Token{}
	return nil
}

// gone reports whether err says that a file isn't there any more.
func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || isDeletePending(err) }
