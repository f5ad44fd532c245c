// Package child runs a command as a shell runs it, until the command ends.
//
// The child gets every signal once, whether the signal was sent to our process, to our process
// group, or by the terminal. To get no signal twice, the child has a process group of its own, and
// we pass our signals on to that group. If we have the terminal, we give it to the child's group,
// as a shell does for a job, and the child reads what is typed there. When the child is stopped
// with ^Z we stop too, for our shell to see, and when we are continued, we continue the child. This
// is so on Linux. On other systems the child stays in our process group, where the terminal's
// signals reach it, and we pass SIGTERM and SIGHUP on to it. On Windows, the child has our console,
// where ^C, ^Break and the console's closing reach it. When the console closes, the child has 3
// seconds to end.
package child

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// A Command says what to run.
type Command struct {
	Args []string // the command, looked for in our PATH if it has no slash, and its arguments
	Env  []string // its whole environment, such as from Environ; nil means ours

	Stdin, Stdout, Stderr *os.File // nil is the null device; they stay the caller's to close

	// Caught, if it isn't nil, is called when every signal is kept for the command, before the
	// command is started. Code that listened to signals until then can look for a last one, and end
	// ctx for it.
	Caught func()
}

// Run starts the command, waits until it ends, and returns how it ended. If the command couldn't be
// started, the code is [NotFound] or [NotExecutable], and the error says why; after a start the error
// is nil. A script without an interpreter line is run by /bin/sh, as by execvp(3).
//
// If ctx is done before the start, the command isn't started, and the error wraps ctx's cause. If ctx is
// done later, the command gets SIGTERM once (on Windows it is killed), and Run still waits for it. So if
// ctx ends on a signal, the command gets that signal and a SIGTERM, unless Caught keeps ctx from ending:
// Run handles SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGTSTP and SIGCONT itself. If
// our process was started with a signal ignored, as by nohup, the command ignores it too.
//
// If our process is killed by SIGKILL, the command gets SIGTERM (Linux), perhaps more than once. If it
// is killed on Windows, the command is killed with all processes that it has started. Run keeps a
// thread to itself until it returns. It must not be called twice at a time: there is one terminal and
// one set of signals.
func Run(ctx context.Context, c Command) (Exit, error) {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return Exit{Code: NotFound}, errors.New("the name of the command to run is empty")
	}
	return run(ctx, c)
}

// caught is called when all signals are kept for the command. It reports whether to start the command.
func (c Command) caught(ctx context.Context) error {
	if c.Caught != nil {
		c.Caught()
	}
	if ctx.Err() != nil {
		return fmt.Errorf("%s is not started: %w", c.Args[0], context.Cause(ctx))
	}
	return nil
}
