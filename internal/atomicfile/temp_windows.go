package atomicfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// staleTemp is the age from which a new file is a dead process's. While it is open, nobody can
// remove it; it stays closed for some moments before it gets its name.
const staleTemp = time.Minute

func createTemp(dir string) (f *os.File, unlock func(), err error) {
	f, err = os.CreateTemp(dir, tempPrefix+"*")
	return f, func() {}, err
}

func removeDead(path string) {
	if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > staleTemp {
		_ = os.Remove(path) // which fails while its writer has it open
	}
}

// rename replaces the file at to. Windows refuses that while another process renames to it, and
// while a program has it open that doesn't share its deletion.
func rename(ctx context.Context, from, to string) error {
	dir, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer dir.Close()
	// A Root's Rename, unlike os.Rename, replaces a file that programs have open (POSIX semantics).
	return whileInUse(ctx, func() error { return dir.Rename(filepath.Base(from), filepath.Base(to)) })
}

// publishNew renames a file to a name that no file has. A link would do it too, but then the
// first name can't be removed while a program reads the file by the other.
func publishNew(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	err = whileInUse(context.Background(), func() error { return windows.MoveFile(old, name) })
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// open opens a file so that it can be replaced and removed meanwhile. While it is being
// replaced, Windows refuses that.
func open(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var handle windows.Handle
	err = whileInUse(context.Background(), func() (err error) {
		handle, err = windows.CreateFile(name, windows.GENERIC_READ,
			windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
			nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// whileInUse calls do until the file that it is about isn't in use, for 5 seconds at most.
func whileInUse(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for wait := time.Millisecond; ; wait = min(2*wait, 20*time.Millisecond) {
		err := do()
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return err
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			return err
		}
	}
}

func isBusy(error) bool { return false }
