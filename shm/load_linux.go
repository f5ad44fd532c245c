package shm

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
)

// A segmentStore is a segment in dir.
type segmentStore struct {
	name string
	path string
	last atomic.Pointer[segment] // what Load returned last

	mu        sync.Mutex      // guards published and watch
	published shsession.Token // by this Store, and not withdrawn
	watch     *watch          // nil unless watching
}

func newSegmentStore(name string) *segmentStore {
	return &segmentStore{name: name, path: dir + "/" + name}
}

// String returns "shm:" and the name.
func (s *segmentStore) String() string { return "shm:" + s.name }

// Load is [Store.Load].
func (s *segmentStore) Load(ctx context.Context) (shsession.Token, error) {
	if err := context.Cause(ctx); err != nil {
		return shsession.Token{}, err
	}
	t, err := s.read()
	if fleeting(err) {
		return s.lookAgain(ctx)
	}
	return t, err
}

func (s *segmentStore) read() (shsession.Token, error) {
	last := s.last.Load()
	seg, err := readSegment(s.path, last)
	if err != nil {
		return shsession.Token{}, err
	}
	if seg != last {
		s.last.Store(seg)
	}
	return seg.token, nil
}

// fleeting reports whether err may be gone in a moment.
func fleeting(err error) bool {
	return errors.Is(err, shsession.ErrNotShared) || errors.Is(err, errUnsteady)
}

// emptyPatience is how long a segment may be empty, whose writer may have to wait for a
// processor.
const emptyPatience = 100 * time.Millisecond

// lookAgain reads until the token is there, for a moment, and then looks for it where a
// live sharer keeps it to put it back.
func (s *segmentStore) lookAgain(ctx context.Context) (shsession.Token, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var t shsession.Token
	var err error
	start := time.Now()
	for wait := 50 * time.Microsecond; wait < 5*time.Millisecond || errors.Is(err, errEmpty) && time.Since(start) < emptyPatience; wait *= 2 {
		select {
		case <-ctx.Done():
			return shsession.Token{}, context.Cause(ctx)
		case <-timer.C:
		}
		if t, err = s.read(); !fleeting(err) {
			return t, err
		}
		timer.Reset(wait)
	}
	if t, ok := s.loadBackup(); ok {
		return t, nil
	}
	return shsession.Token{}, err
}
