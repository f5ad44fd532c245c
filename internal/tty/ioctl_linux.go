package tty

import "golang.org/x/sys/unix"

const getTermios, setTermios, setAndDrop = unix.TCGETS, unix.TCSETS, unix.TCSETSF
