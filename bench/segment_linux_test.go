package bench

import (
	"context"
	"crypto/rand"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// newSegment returns the Store of a segment that nobody else uses, and its name. It is removed
// when the benchmark ends.
func newSegment(b testing.TB) (*shm.Store, string) {
	b.Helper()
	name := "shsession-bench-" + rand.Text()
	store, err := shm.Open(name)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { shm.Remove(context.Background(), name) })
	return store, name
}

// publish puts a token of that size into a new segment and returns the segment's name.
func publish(b testing.TB, size int) string {
	b.Helper()
	store, name := newSegment(b)
	if err := store.Publish(b.Context(), issue(b, size, 0, hour)); err != nil {
		b.Fatal(err)
	}
	return name
}

func segmentPath(name string) string { return "/dev/shm/" + name }

// openReadClose is the least that reading a segment can cost.
func openReadClose(path string, buf []byte) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, buf)
	if err == nil && n == 0 {
		err = errNoToken
	}
	return err
}

// writeRename is the least that publishing can cost, if readers are to see the old token or the new one.
func writeRename(path string, data []byte) error {
	temp := path + ".new"
	fd, err := unix.Open(temp, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	if _, err := unix.Write(fd, data); err != nil {
		unix.Close(fd)
		return err
	}
	if err := unix.Close(fd); err != nil {
		return err
	}
	return unix.Rename(temp, path)
}

// lockUnlock is the least that taking a lock can cost that dies with its holder.
func lockUnlock(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
}

// readerPeers are the ways to read a segment with a token of that size, once for each call: the
// bare one, ours, and Python's.
func readerPeers(b *testing.B, size int, read func(name string) func() error) []peer {
	name := publish(b, size)
	buf := make([]byte, 2*size+4096)
	return []peer{
		serial(floor, repeat(b, func() error { return openReadClose(segmentPath(name), buf) })),
		serial(ours, repeat(b, read(name))),
		{pythonSH, func(b *testing.B) { pythonWork(b, needPython(b), "collect", name) }},
	}
}

// collectWith collects with one Store, as a program does that has it from before.
func collectWith(b *testing.B) func(name string) func() error {
	return func(name string) func() error {
		store, err := shm.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		return func() error { return collect(b.Context(), store) }
	}
}

// collectAnew collects as a program does that has just started.
func collectAnew(b *testing.B) func(name string) func() error {
	return func(name string) func() error {
		return func() error {
			store, err := shm.Open(name)
			if err != nil {
				return err
			}
			return collect(b.Context(), store)
		}
	}
}

func collect(ctx context.Context, store *shm.Store) error {
	s, err := shsession.Collect(ctx, store)
	if err != nil {
		return err
	}
	_, err = s.Token(ctx)
	return err
}
