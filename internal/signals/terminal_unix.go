//go:build unix

package signals

import "golang.org/x/sys/unix"

// A controlling is the process's controlling terminal; nil is none.
type controlling struct{ fd int }

func openControlling() *controlling {
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // a service, or a session without a terminal
	}
	return &controlling{fd}
}

// hungUp reports whether the terminal is gone: its window was closed, or its line was cut.
func (c *controlling) hungUp() bool {
	if c == nil {
		return false
	}
	_, err := unix.IoctlGetInt(c.fd, unix.TIOCGPGRP)
	return err != nil
}

func (c *controlling) close() {
	if c != nil {
		unix.Close(c.fd)
	}
}
