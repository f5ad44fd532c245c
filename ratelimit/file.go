package ratelimit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// A File is the State of one machine's processes: a file of mode 0600 that is read, changed
// and written under a lock of its own, which the system frees when the holder dies. OpenFile
// makes one.
//
// The file holds no secret. It stays when the processes end, since the service goes on
// counting.
type File struct {
	path string
	turn chan struct{} // holds one element while a step is made
	last written       // only used in turn
}

// A written is what a File wrote last. While the file holds the same, it isn't decoded.
type written struct {
	data   []byte
	record record
}

// maxRecord is the size in bytes of the largest record that is read.
const maxRecord = 1 << 20

// OpenFile returns the State in the file at path. It touches no file: the first Step
// creates it. In its directory, other users must not be able to replace this user's files:
// it is this user's own, or has the sticky bit, as /dev/shm has.
func OpenFile(path string) *File { return &File{path: path, turn: make(chan struct{}, 1)} }

// String returns the file's path.
func (f *File) String() string { return f.path }

// Step implements [State]. It waits for the other processes' steps, which take some
// microseconds each. The file is refused if it belongs to another user, isn't a regular
// file, or if other users can write to it. A record that can't be read is replaced by a new
// one.
func (f *File) Step(ctx context.Context, c Change) (Answer, error) {
	if ctx.Err() != nil {
		return Answer{}, context.Cause(ctx)
	}
	select {
	case f.turn <- struct{}{}:
		defer func() { <-f.turn }()
	case <-ctx.Done():
		return Answer{}, context.Cause(ctx)
	}
	file, err := openLocked(ctx, f.path, c.Op != Look)
	if c.Op == Look && errors.Is(err, fs.ErrNotExist) {
		return new(record).apply(c, wallClock()), nil
	}
	if err != nil {
		return Answer{}, fmt.Errorf("the limit's state: %w", err)
	}
	defer file.Close() // which releases the lock
	last := f.last
	if c.Op == Look { // which changes the record, too, but doesn't write it
		last = written{}
	} else {
		f.last = written{} // until this step has been written
	}
	r, size, err := readRecord(file, last)
	if err != nil {
		return Answer{}, fmt.Errorf("the limit's state: %w", err)
	}
	a := r.apply(c, wallClock())
	if c.Op == Look {
		return a, nil
	}
	data, err := json.Marshal(&r)
	if err != nil { // a damaged record led to numbers that JSON doesn't know
		r = record{}
		a = r.apply(c, wallClock())
		data, err = json.Marshal(&r)
	}
	if err == nil {
		data, err = replace(file, data, size)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("the limit's state: %w", err)
	}
	f.last = written{data, r}
	return a, nil
}

// openLocked opens the file, or makes it, and takes its lock.
func openLocked(ctx context.Context, path string, mayCreate bool) (*os.File, error) {
	flags := os.O_RDWR
	if mayCreate {
		flags |= os.O_CREATE
	}
	file, err := openOwn(path, flags)
	if err != nil {
		return nil, err
	}
	var timer *time.Timer
	for wait := 20 * time.Microsecond; ; wait = min(2*wait, time.Millisecond) {
		locked, err := tryLock(file)
		if locked && isRemoved(file) { // while it was another's
			file.Close()
			return openLocked(ctx, path, mayCreate)
		}
		if locked {
			return file, nil
		}
		if err == nil && ctx.Err() != nil {
			err = fmt.Errorf("another process doesn't let go of %s: %w", path, context.Cause(ctx))
		}
		if err != nil {
			file.Close()
			return nil, err
		}
		if timer == nil {
			timer = time.NewTimer(wait)
			defer timer.Stop()
		} else {
			timer.Reset(wait)
		}
		select {
		case <-timer.C:
		case <-ctx.Done(): // tried once more, and then given up
		}
	}
}

// readRecord returns the record in the file and the size of the file's content. An empty file, and one
// that was cut off or damaged, holds an empty record.
func readRecord(file *os.File, last written) (r record, size int, err error) {
	var small [4096]byte
	buf := small[:]
	n, err := file.ReadAt(buf, 0)
	if err == nil {
		buf = make([]byte, maxRecord)
		n, err = file.ReadAt(buf, 0)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return r, 0, err
	}
	if n > 0 && bytes.Equal(buf[:n], last.data) {
		return last.record, n, nil
	}
	if json.Unmarshal(buf[:n], &r) != nil || len(r.Full) != len(r.Rules) {
		return record{}, n, nil
	}
	return r, n, nil
}

// replace replaces the size bytes that are in the file, and returns what the file holds then.
// Spaces fill what is left of a longer record.
func replace(file *os.File, data []byte, size int) ([]byte, error) {
	for len(data) < size && size < 2*len(data) {
		data = append(data, ' ')
	}
	if _, err := file.WriteAt(data, 0); err != nil {
		return nil, err
	}
	if len(data) < size {
		return data, file.Truncate(int64(len(data)))
	}
	return data, nil
}
