// Package child runs a command the way a shell would have run it, for as long as it lives.
//
// The child gets every signal once, whether it was sent to our process alone, to our process
// group, or by the terminal. So that no signal takes two ways, the child is put into a process
// group of its own, and what reaches us is passed on to that group. When we have the terminal the
// child's group is given it, as a shell gives it to a job, and what is typed there goes straight
// to the child; when the child is stopped with ^Z we stop too, for our shell to see, and when we
// are continued it is. This is so on Linux. Elsewhere the child stays in our process group, where
// the terminal's signals reach it, and gets SIGTERM and SIGHUP passed on.
package child

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Exit codes for a command that couldn't be started, as shells have them (POSIX.1-2024, XCU 2.8.2).
const (
	NotExecutable = 126 // it was found and couldn't be executed
	NotFound      = 127
)

// A Command says what to run.
type Command struct {
	Args []string // the command, looked for in our PATH if it has no slash, and its arguments
	Env  []string // its whole environment, such as Environ returns; nil means ours

	Stdin, Stdout, Stderr *os.File // nil is the null device; they stay the caller's to close
}

// Run starts the command and waits for as long as it lives. It returns the command's exit code, or
// 128+n if signal n ended it. If it couldn't be started the code is [NotFound] or [NotExecutable],
// and the error says why; an error never comes with a command that was started.
//
// When ctx is done the command gets SIGTERM (Windows: it is killed), once, and Run still waits for
// it. So a ctx that ends on a signal makes the command get that signal and a SIGTERM: Run handles
// SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP and SIGCONT itself. One
// that we were started to ignore, as by nohup, is ignored by the command too.
//
// When our process is killed outright the command gets SIGTERM (Linux), perhaps more than once. As
// long as Run lasts it has a thread to itself, and it must not be called twice at a time: there is
// one terminal and one set of signals.
func Run(ctx context.Context, c Command) (exitCode int, err error) {
	if len(c.Args) == 0 {
		return NotFound, errors.New("there is no command to run")
	}
	if ctx.Err() != nil {
		return NotExecutable, fmt.Errorf("%s is not started: %w", c.Args[0], context.Cause(ctx))
	}
	cmd := exec.Command(c.Args[0], c.Args[1:]...)
	cmd.Env = c.Env
	if c.Stdin != nil { // a nil *os.File in an interface would not be nil
		cmd.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	return run(ctx, cmd)
}

// notStarted returns the exit code and the error for a command that couldn't be started.
func notStarted(cmd *exec.Cmd, err error) (int, error) {
	name := cmd.Args[0]
	code := NotExecutable
	switch {
	case errors.Is(err, exec.ErrNotFound) && inPath(name):
		err = fs.ErrPermission
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		code = NotFound
	}
	if lookup := (*exec.Error)(nil); errors.As(err, &lookup) {
		err = lookup.Err // the name is said once
	}
	if start := (*fs.PathError)(nil); errors.As(err, &start) {
		err = start.Err
	}
	return code, fmt.Errorf("%s can't be started: %w", name, err)
}

// inPath reports whether PATH leads to a file of that name. It's for one that exec.LookPath
// passed over, since it isn't executable.
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
