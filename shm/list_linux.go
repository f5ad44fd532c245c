package shm

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// List returns every segment of this user that holds a token, sorted by name. Other files
// in shared memory, and what can't be trusted, it leaves out.
func List(ctx context.Context) ([]Segment, error) {
	beside, names, err := listBeside("")
	if err != nil {
		return nil, err
	}
	files := map[string][]besideFile{}
	for _, f := range beside {
		files[f.stem] = append(files[f.stem], f)
	}
	var segments []Segment
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		path := dir + "/" + name
		if checkName(name) != nil || checkOwn(path) != nil {
			continue
		}
		seg, err := readSegment(path, nil)
		if err != nil {
			continue
		}
		sharers := sharersIn(files[stem(name)], true)
		segments = append(segments, Segment{
			Name:     name,
			Token:    seg.token,
			Modified: seg.modified,
			Sharers:  sharers,
			Orphan:   len(sharers) == 0 && len(sharersIn(files[stem(name)], false)) > 0,
		})
	}
	return segments, nil
}

// Sweep removes what this user's processes left in shared memory when they were killed or
// ended early: files that they were writing, which may hold a token, and free locks.
// Segments stay, and so does what tells that a dead sharer's segment is an orphan.
func Sweep(ctx context.Context) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("this system has no shared memory: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, ok := parseBeside(e.Name())
		path := dir + "/" + e.Name()
		if !ok || checkOwn(path) != nil {
			continue
		}
		switch b.kind {
		case "temp":
			if isDeadTemp(path) {
				unix.Unlink(path)
			}
		case "lock", "turn":
			removeFreeLock(path)
		}
	}
	return nil
}

// Remove removes the segment of that name and what dead sharers left beside it. The error
// wraps shsession.ErrNotShared if there is none. A segment that a live process shares
// isn't removed, since that would put it back.
func Remove(ctx context.Context, name string) error {
	s, err := Open(name)
	if err != nil {
		return err
	}
	turn, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer turn.release()
	files, err := s.fellows(nil)
	if err != nil {
		return err
	}
	if live := sharersIn(files, true); len(live) > 0 {
		return fmt.Errorf("%s is shared by process %d: stop that first", s, live[0].PID)
	}
	removeDead(files)
	removeFreeLock(s.beside("lock"))
	var untrusted *UntrustedError
	if err := checkOwn(s.path); errors.As(err, &untrusted) && untrusted.UID == unix.Geteuid() {
		// It is this user's own, whatever it is.
	} else if err != nil {
		return err
	}
	return os.Remove(s.path)
}
