//go:build unix

package livestatus

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/tty"
)

// screenSignals are a new size of the terminal, ^Z, and the shell's fg; and what else would end the process and leave
// the terminal as it is.
var screenSignals = []os.Signal{unix.SIGWINCH, unix.SIGTSTP, unix.SIGCONT, unix.SIGQUIT, unix.SIGHUP}

// heed gives the terminal back before it stops the process, and returns when that goes on. The watch is
// drawn after every signal that isn't to end it.
func (s *screen) heed(arrived os.Signal) {
	switch arrived {
	case unix.SIGTSTP:
	case unix.SIGQUIT, unix.SIGHUP:
		s.end()
		return
	case unix.SIGCONT: // after a stop that nobody could prepare for
		if s.isShown && inForeground(s.terminal) {
			s.keyboard.give()
			s.keyboard.take()
		}
		return
	default:
		return
	}
	s.leave()
	tty.Stop(s.arrived)
}

// inForeground reports whether it's this process's turn at its terminal.
func inForeground(terminal *os.File) bool { return tty.InForeground(int(terminal.Fd())) }
