package bench

import (
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/dirstore"
	"github.com/shsession/shsession/shm"
)

// BenchmarkDirectory compares the store in a private directory, which serves a system without
// /dev/shm, with the store in /dev/shm. The first Load is by a new Store, which finds the
// directory and checks whose it is. The fresh Token is of a session that Join made.
func BenchmarkDirectory(b *testing.B) {
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	segment, name := newSegment(b)
	directory, err := openDirectory(name)
	if err != nil {
		b.Fatal(err)
	}
	for _, store := range []shsession.Store{segment, directory} {
		if err := store.Publish(b.Context(), issue(b, tokenSize, 0, hour)); err != nil {
			b.Fatal(err)
		}
	}
	each(b,
		work{"do=Load", func(b *testing.B) {
			beside(b,
				serial(devShm, repeat(b, firstLoad(b, func() (shsession.Store, error) { return shm.Open(name) }))),
				serial(ours, repeat(b, firstLoad(b, func() (shsession.Store, error) { return openDirectory(name) }))))
		}},
		work{"do=Token", func(b *testing.B) {
			e := newEndpoint(b, 0)
			beside(b, serial(devShm, joinedLoop(b, e, segment)), serial(ours, joinedLoop(b, e, directory)))
		}})
}

// openDirectory does what shm.Open does where there is no /dev/shm.
func openDirectory(name string) (*dirstore.Store, error) {
	base, err := dirstore.DefaultBase()
	if err != nil {
		return nil, err
	}
	return dirstore.OpenMapped(base, name), nil
}

// firstLoad returns a function that opens a Store and loads its token.
func firstLoad(b *testing.B, open func() (shsession.Store, error)) func() error {
	return func() error {
		store, err := open()
		if err != nil {
			return err
		}
		_, err = store.Load(b.Context())
		return err
	}
}

// joinedLoop asks a session that Join made for its fresh token.
func joinedLoop(b *testing.B, e *endpoint, store shsession.Store) loop {
	s, err := shsession.Join(e.config(true), store)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := s.Token(b.Context()); err != nil {
		b.Fatal(err)
	}
	return sessionLoop(b.Context(), s)
}
