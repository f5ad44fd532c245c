//go:build unix && !linux

package tty

import "golang.org/x/sys/unix"

const getTermios, setTermios, setAndDrop = unix.TIOCGETA, unix.TIOCSETA, unix.TIOCSETAF
