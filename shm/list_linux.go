package shm

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/fileowner"
	"github.com/shsession/shsession/internal/record"
)

// devShm is the place of segments in dir.
type devShm struct{}

func (devShm) dir() string { return "" }

func (devShm) open(name string) backend { return newSegmentStore(name) }

func (devShm) list(ctx context.Context) ([]record.Entry, error) {
	beside, names, err := listBeside("")
	if err != nil {
		return nil, err
	}
	files := map[string][]besideFile{}
	for _, f := range beside {
		files[f.stem] = append(files[f.stem], f)
	}
	var entries []record.Entry
	for _, name := range names {
		if err := context.Cause(ctx); err != nil {
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
		there := files[stem(name)]
		entries = append(entries, record.Entry{
			Name: name, Token: seg.token, Modified: seg.modified,
			Live: sharersIn(there, true), Dead: sharersIn(there, false),
		})
	}
	return entries, nil
}

func (p devShm) names(ctx context.Context) ([]string, error) {
	segments, err := p.list(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, s := range segments {
		names[s.Name] = true
	}
	entries, err := readDir()
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if b, ok := parseBeside(e.Name()); ok && !isShortened(b.stem) && checkOwn(dir+"/"+e.Name()) == nil {
			names[b.stem] = true
		}
	}
	if openLockDir() == nil {
		locks, _ := os.ReadDir(lockDir()) // which hold no secret
		for _, e := range locks {
			if name := strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())); !isShortened(name) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func (devShm) sweep(ctx context.Context) error {
	entries, err := readDir()
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		b, ok := parseBeside(e.Name())
		path := dir + "/" + e.Name()
		if !ok || checkOwn(path) != nil {
			continue
		}
		if b.kind == "temp" && isDeadTemp(path) {
			unix.Unlink(path)
		} else if kept, ok := record.Kept()[b.kind]; ok {
			if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > kept {
				unix.Unlink(path)
			}
		}
	}
	return nil
}

func (devShm) remove(ctx context.Context, name string) error {
	s := newSegmentStore(name)
	changes, err := s.lockChanges(ctx)
	if err != nil {
		return err
	}
	defer changes.Release()
	files, err := s.peers(nil)
	if err != nil {
		return err
	}
	if err := record.CheckUnshared(s, sharersIn(files, true)); err != nil {
		return err
	}
	removeDead(files)
	s.removeNote()
	s.removeLocks()
	unix.Unlink(s.beside("limit"))
	var untrusted *UntrustedError
	if err := checkOwn(s.path); errors.As(err, &untrusted) && fileowner.Of(uint32(untrusted.UID)) == fileowner.Self {
		// It is this user's own, whatever it is.
	} else if err != nil {
		return err
	}
	return os.Remove(s.path)
}
