//go:build unix

package tty

import (
	"os"

	"golang.org/x/sys/unix"
)

// Get returns the settings of a terminal.
func Get(fd int) (*unix.Termios, error) { return unix.IoctlGetTermios(fd, getTermios) }

// Set puts settings in force. A process in the background is stopped until it is in the foreground.
func Set(fd int, settings *unix.Termios) error { return retry(fd, setTermios, settings) }

// SetAndDrop is [Set], and drops what was typed and isn't read yet.
func SetAndDrop(fd int, settings *unix.Termios) error { return retry(fd, setAndDrop, settings) }

func retry(fd int, request uint, settings *unix.Termios) error {
	for {
		if err := unix.IoctlSetTermios(fd, request, settings); err != unix.EINTR {
			return err
		}
	}
}

// InForeground reports whether it's this process's turn at its terminal.
func InForeground(fd int) bool {
	group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// Stop stops the process, as ^Z would if the process didn't catch SIGTSTP, and returns when the
// process goes on. arrived is the channel that SIGCONT is sent to; other signals that arrive
// meanwhile are dropped. Stop returns at once in the group of its session's leader, which no shell
// would let go on.
func Stop(arrived <-chan os.Signal) {
	session, err := unix.Getsid(0)
	if err == nil && session == unix.Getpgrp() {
		return
	}
	_ = unix.Kill(os.Getpid(), unix.SIGSTOP) // a process may always stop itself
	for s := range arrived {                 // its threads stop a moment later
		if s == unix.SIGCONT {
			return
		}
	}
}
