//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// screenSignals are a new size of the terminal, ^Z, and the shell's fg.
var screenSignals = []os.Signal{unix.SIGWINCH, unix.SIGTSTP, unix.SIGCONT}

// heed gives the terminal back before it stops the process, and returns when that goes on. The watch is
// drawn after every signal.
func (s *screen) heed(arrived os.Signal) {
	if arrived != unix.SIGTSTP {
		return
	}
	s.leave()
	_ = unix.Kill(os.Getpid(), unix.SIGSTOP) // a process may always stop itself
	for arrived != unix.SIGCONT {            // its threads stop a moment later
		arrived = <-s.arrived
	}
}

// inForeground reports whether it's this process's turn at its terminal.
func inForeground(terminal *os.File) bool {
	group, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}
