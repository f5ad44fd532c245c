//go:build unix

package livestatus

import (
	"bytes"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/tty"
)

// A keyboard reads a terminal's keys, without echo: q ends the view, and ? shows the keys. Other keys only have an effect
// if the terminal makes a signal of them.
type keyboard struct {
	terminal *os.File
	quit     func()
	help     func()

	before  *unix.Termios // the terminal's settings, nil unless the keyboard is taken
	wake    [2]int        // a pipe, closed at one end to end the reading at the other
	reading sync.WaitGroup
}

// take begins to read. If the terminal doesn't permit that, there are no keys.
func (k *keyboard) take() {
	fd := int(k.terminal.Fd())
	before, err := tty.Get(fd)
	if err != nil || unix.Pipe(k.wake[:]) != nil {
		return
	}
	own := *before
	own.Lflag &^= unix.ECHO | unix.ICANON
	own.Cc[unix.VMIN], own.Cc[unix.VTIME] = 0, 0 // a read doesn't wait: poll does
	if tty.Set(fd, &own) != nil {
		unix.Close(k.wake[0])
		unix.Close(k.wake[1])
		return
	}
	k.before = before
	k.reading.Go(func() { k.read(fd, k.wake[0]) })
}

// give ends the reading, and restores the terminal's settings.
func (k *keyboard) give() {
	if k.before == nil {
		return
	}
	unix.Close(k.wake[1])
	k.reading.Wait()
	unix.Close(k.wake[0])
	if inForeground(k.terminal) { // else they are the shell's
		_ = tty.Set(int(k.terminal.Fd()), k.before)
	}
	k.before = nil
}

// read reads keys until wake is at its end, or the terminal is.
func (k *keyboard) read(fd, wake int) {
	keys := make([]byte, 64)
	for {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err == unix.EINTR {
			continue
		} else if err != nil || ready[1].Revents != 0 || ready[0].Revents&^unix.POLLIN != 0 { // the terminal may be gone
			return
		}
		n, err := unix.Read(fd, keys)
		if err != nil && err != unix.EINTR && err != unix.EAGAIN {
			return
		}
		if n > 0 && bytes.ContainsAny(keys[:n], "qQ") {
			k.quit()
		}
		for range bytes.Count(keys[:max(n, 0)], []byte("?")) {
			k.help()
		}
	}
}
