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
	"os"
	"syscall"
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

	// Caught, if it isn't nil, is called once every signal is kept for the command, before that is
	// started. Whoever listened to signals until then can look for the last one, and end ctx for it.
	Caught func()
}

// An Exit is how a command has ended.
type Exit struct {
	Code int // its exit code, or 128+n if signal n ended it

	// Key is SIGINT or SIGQUIT if the command was ended by that, and it came from our terminal's ^C or ^\.
	// Then our caller should see us end by it too (EndBy), once all is tidy: an interactive shell ends its
	// loop only for a command that a key has ended. Otherwise it is 0.
	Key syscall.Signal
}

// Run starts the command and waits for as long as it lives. It returns how the command has ended.
// If it couldn't be started the code is [NotFound] or [NotExecutable], and the error says why; an
// error never comes with a command that was started. A script that doesn't say what runs it is run by
// /bin/sh, as execvp(3) has it.
//
// If ctx is done before the command is started, it isn't, and the error wraps ctx's cause. When ctx is done
// later the command gets SIGTERM (Windows: it is killed), once, and Run still waits for
// it. So a ctx that ends on a signal makes the command get that signal and a SIGTERM, unless it is made to
// last in Caught: Run handles SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP and
// SIGCONT itself. One that we were started to ignore, as by nohup, is ignored by the command too.
//
// When our process is killed outright the command gets SIGTERM (Linux), perhaps more than once. As
// long as Run lasts it has a thread to itself, and it must not be called twice at a time: there is
// one terminal and one set of signals.
func Run(ctx context.Context, c Command) (Exit, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return Exit{Code: NotFound}, errors.New("the name of the command to run is empty")
	}
	return run(ctx, c)
}

// caught is called when the signals are the command's, and reports whether that is still wanted.
func (c Command) caught(ctx context.Context) error {
	if c.Caught != nil {
		c.Caught()
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s is not started: %w", c.Args[0], context.Cause(ctx))
	}
	return nil
}
