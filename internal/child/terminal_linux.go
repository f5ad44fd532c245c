package child

import (
	"os"
	"os/exec"
	"os/signal"

	"golang.org/x/sys/unix"
)

// A terminal is our controlling terminal, and the process group that has it.
type terminal struct {
	fd     int // -1 without a terminal
	own    int // our process group
	child  int // the child's
	wanted bool
}

// openTerminal opens our controlling terminal, if we have one, to be shared with a child.
func openTerminal(child int) *terminal {
	fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &terminal{fd: -1} // there is none, and nothing to do
	}
	// A process group in the background gets SIGTTOU when it passes the terminal on, and perhaps when it
	// writes to it. The child has been started: it doesn't inherit this.
	signal.Ignore(unix.SIGTTOU)
	return &terminal{fd: fd, own: unix.Getpgrp(), child: child}
}

func (t *terminal) close() {
	if t.fd >= 0 {
		byDefault(unix.SIGTTOU)
		unix.Close(t.fd)
	}
}

// holder returns the process group that has the terminal, or -1.
func (t *terminal) holder() int {
	if t.fd < 0 {
		return -1
	}
	group, err := unix.IoctlGetInt(t.fd, unix.TIOCGPGRP)
	if err != nil {
		return -1
	}
	return group
}

// give hands the terminal to the child, if it's ours to give, and reports whether the child has it.
func (t *terminal) give() bool {
	t.wanted = true
	switch t.holder() {
	case -1:
		return false
	case t.child:
		return true
	case t.own:
		return unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, t.child) == nil
	}
	return false
}

// takeBack takes the terminal from the child's group, which has lost its leader.
func (t *terminal) takeBack() {
	if t.fd >= 0 && t.holder() == t.child {
		// It fails only if the terminal has hung up; then no process needs it.
		_ = unix.IoctlSetPointerInt(t.fd, unix.TIOCSPGRP, t.own)
	}
}

// wantsTerminal reports whether a command is to have the terminal from the start: its input is the
// terminal, and it isn't a part of a pipeline, whose other end (a pager, say) may need the
// terminal too. Others get it when they ask.
func wantsTerminal(cmd *exec.Cmd) bool {
	in, ok := cmd.Stdin.(*os.File)
	if !ok {
		return false
	}
	if _, err := unix.IoctlGetInt(int(in.Fd()), unix.TIOCGPGRP); err != nil {
		return false // not a terminal, or not the one that controls us
	}
	return !isPipe(cmd.Stdout) && !isPipe(cmd.Stderr)
}

func isPipe(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&(os.ModeNamedPipe|os.ModeSocket) != 0
}
