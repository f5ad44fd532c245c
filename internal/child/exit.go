package child

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// Exit codes for a command that couldn't be started, as shells have them (POSIX.1-2024, XCU 2.8.2).
const (
	NotExecutable = 126 // the command was found and couldn't be executed
	NotFound      = 127
)

// An Exit is how a command has ended.
type Exit struct {
	Code int // its exit code, or 128+n if signal n ended it

	// Key is SIGINT or SIGQUIT if our terminal's ^C or ^\ ended the command, and else 0. Then, after
	// cleaning up, our process should end by the same signal (EndBy): an interactive shell ends its loop
	// only for a command that a key has ended.
	Key syscall.Signal
}

// notStarted returns the exit code and the error for a command that couldn't be started.
func notStarted(name string, err error) (int, error) {
	code := NotExecutable
	switch {
	case errors.Is(err, exec.ErrNotFound) && inPath(name):
		err = fs.ErrPermission
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		code = NotFound
	}
	if lookup := (*exec.Error)(nil); errors.As(err, &lookup) {
		err = lookup.Err // so that the message has the name once
	}
	if start := (*fs.PathError)(nil); errors.As(err, &start) {
		err = start.Err
	}
	return code, fmt.Errorf("%s can't be started: %w", name, err)
}

// inPath reports whether a directory in PATH has a file of that name. It is for a file that isn't
// executable, which exec.LookPath ignores.
func inPath(name string) bool {
	if strings.ContainsRune(name, filepath.Separator) {
		return false
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}
