package bench

import (
	"context"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

const tokenSize = 1 << 10

// BenchmarkCollect reads the token from shared memory: with a Store that has read it
// before, and with a new one. The floor opens, reads and closes the file.
func BenchmarkCollect(b *testing.B) {
	each(b,
		work{"store=known", func(b *testing.B) { beside(b, readerPeers(b, tokenSize, collectWith(b))...) }},
		work{"store=new", func(b *testing.B) { beside(b, readerPeers(b, tokenSize, collectAnew(b))...) }})
}

// BenchmarkJoining is what a new worker pays for its first token, with a fresh one in shared memory.
func BenchmarkJoining(b *testing.B) {
	e := newEndpoint(b, 0)
	by := func(name string, constructor func(*shm.Store) (*shsession.Session, error)) work {
		return work{"constructor=" + name, func(b *testing.B) {
			beside(b, readerPeers(b, tokenSize, func(segment string) func() error {
				return func() error { return firstToken(b.Context(), segment, constructor) }
			})...)
		}}
	}
	each(b,
		by("Follow", func(store *shm.Store) (*shsession.Session, error) { return shsession.Follow(store), nil }),
		by("Join", func(store *shm.Store) (*shsession.Session, error) { return shsession.Join(e.config(true), store) }))
}

func firstToken(ctx context.Context, segment string, constructor func(*shm.Store) (*shsession.Session, error)) error {
	store, err := shm.Open(segment)
	if err != nil {
		return err
	}
	s, err := constructor(store)
	if err != nil {
		return err
	}
	_, err = s.Token(ctx)
	return err
}

// BenchmarkStore is the rest of a Store in shared memory. The floors are to write a file
// and rename it, and to open, lock and close one.
func BenchmarkStore(b *testing.B) {
	each(b,
		work{"method=Publish", func(b *testing.B) { publishers(b, tokenSize) }},
		work{"method=TryLock", lockers})
}

func lockers(b *testing.B) {
	store, _ := newSegment(b)
	_, other := newSegment(b)
	if err := store.Publish(b.Context(), issue(b, tokenSize, 0, hour)); err != nil {
		b.Fatal(err)
	}
	path := segmentPath(other)
	beside(b,
		serial(floor, repeat(b, func() error { return lockUnlock(path) })),
		serial(ours, repeat(b, func() error { return lockOnce(b.Context(), store) })))
}

// publishers replace a token by another one.
func publishers(b *testing.B, size int) {
	store, _ := newSegment(b)
	_, other := newSegment(b)
	tokens := [2]shsession.Token{issue(b, size, 0, hour), issue(b, size, 1, hour)}
	data, path := tokens[0].Encode(), segmentPath(other)
	turn := 0
	beside(b,
		serial(floor, repeat(b, func() error { return writeRename(path, data) })),
		serial(ours, repeat(b, func() error {
			turn++
			return store.Publish(b.Context(), tokens[turn%2])
		})))
}

func lockOnce(ctx context.Context, store shsession.Store) error {
	_, unlock, err := store.TryLock(ctx, nil)
	if err != nil {
		return err
	}
	unlock(shsession.Note{})
	return nil
}
