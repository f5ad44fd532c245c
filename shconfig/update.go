package shconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// ErrBusy is returned by [Update] if other processes keep the file's lock for too long.
var ErrBusy = errors.New("other processes are changing the file")

const (
	lockPatience = 10 * time.Second // a change takes milliseconds
	lockPause    = 5 * time.Millisecond
)

// Update opens the config.toml at path, or at [Path] if path is "", calls change to change
// it, and saves it. Updates of the same file take turns, in all processes, so that no change
// is lost. If change returns an error, Update returns it and writes nothing. change should
// not block: others wait for the lock meanwhile.
//
// Update waits for its turn until ctx is done, and for ten seconds at most; then it fails
// with [ErrBusy]. The lock ends with the process, and leaves no file. On file systems without
// locks, such as some network file systems, Updates take no turns.
func Update(ctx context.Context, path string, change func(*File) error) (err error) {
	if path == "" {
		if path, err = Path(); err != nil {
			return err
		}
	}
	target, err := followLinks(path)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	unmake, err := makeDir(filepath.Dir(target))
	if err != nil {
		return fmt.Errorf("save the configuration: %w", err)
	}
	defer unmake()
	unlock, err := lock(ctx, target)
	if err != nil {
		return fmt.Errorf("lock %s: %w", path, err)
	}
	defer unlock()
	f, err := Open(path)
	if err != nil {
		return err
	}
	if err := change(f); err != nil {
		return err
	}
	return f.Save()
}

// makeDir makes a directory that may be missing. unmake takes what was made away again, unless there is something in it.
func makeDir(dir string) (unmake func(), err error) {
	var missing []string
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		missing = append(missing, at)
	}
	return func() {
		for _, made := range missing {
			if os.Remove(made) != nil {
				return
			}
		}
	}, os.MkdirAll(dir, 0o700)
}

// lock waits for its turn at the file at path.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, lockPatience, ErrBusy)
	defer cancel()
	pause := time.NewTicker(lockPause)
	defer pause.Stop()
	for {
		unlock, err := tryLock(path)
		if !errors.Is(err, ErrBusy) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-pause.C:
		}
	}
}
