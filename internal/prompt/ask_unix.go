//go:build unix

package prompt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/signals"
	"github.com/shsession/shsession/internal/tty"
)

// A dialogue is one question at a terminal.
type dialogue struct {
	fd       int
	out      io.Writer
	question string
	hidden   bool          // what is typed isn't shown
	before   *unix.Termios // the terminal's settings
}

// errShown: a secret's line was read while the terminal showed what was typed. The line is dropped.
var errShown = errors.New("the terminal shows what is typed")

// ask asks a question at a terminal and returns the answer, without its line's end.
func ask(ctx context.Context, terminal *os.File, out io.Writer, question string, hidden bool) (string, error) {
	d := &dialogue{fd: int(terminal.Fd()), out: out, question: question, hidden: hidden}
	var err error
	if d.before, err = tty.Get(d.fd); err != nil {
		return "", err
	}
	arrived := make(chan os.Signal, 8)
	for _, s := range []os.Signal{unix.SIGTSTP, unix.SIGCONT, unix.SIGHUP, unix.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(arrived, s)
		}
	}
	defer signal.Stop(arrived)
	defer d.restore()
	if err := d.begin(); err != nil {
		return "", err
	}
	lines, end := d.start()
	defer end()
	for {
		select {
		case r := <-lines:
			if r.err == errShown {
				err = d.begin()
				break
			}
			if d.hidden || r.err != nil {
				fmt.Fprintln(out) // the user's Enter wasn't shown
			}
			return r.line, r.err
		case s := <-arrived:
			err = d.heed(s, arrived)
		case <-ctx.Done():
			fmt.Fprintln(out)
			return "", context.Cause(ctx)
		}
		if err != nil {
			return "", err
		}
	}
}

// begin asks the question, after it has made the terminal hide what is typed. What was typed before
// is dropped if it was to be hidden, since the terminal has shown it.
func (d *dialogue) begin() error {
	if d.hidden {
		own := *d.before
		own.Lflag &^= unix.ECHO
		own.Lflag |= unix.ICANON | unix.ISIG
		own.Iflag |= unix.ICRNL
		if err := tty.SetAndDrop(d.fd, &own); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(d.out, d.question)
	return err
}

// restore gives the terminal its settings back.
func (d *dialogue) restore() {
	if d.hidden && tty.InForeground(d.fd) { // else they are the shell's
		_ = tty.Set(d.fd, d.before) // an error means that the terminal is gone
	}
}

// heed does what a signal asks for. ^Z gives the terminal back before it stops the process, and
// whatever lets the process go on asks the question anew.
func (d *dialogue) heed(s os.Signal, arrived <-chan os.Signal) error {
	switch s {
	case unix.SIGTSTP:
		d.restore()
		tty.Stop(arrived)
	case unix.SIGCONT: // after a stop that nobody could prepare for
	default:
		return signals.Interrupted{Signal: s}
	}
	return d.begin()
}

// start begins to read lines. end ends that, and waits until it has ended.
func (d *dialogue) start() (lines <-chan result, end func()) {
	found := make(chan result)
	ended := make(chan struct{})
	var wake [2]int
	if err := unix.Pipe(wake[:]); err != nil {
		failed := make(chan result, 1)
		failed <- result{err: &readError{err}}
		return failed, func() {}
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for {
			r := d.read(wake[0])
			select {
			case found <- r:
			case <-ended:
				return
			}
			if r.err != errShown {
				return
			}
		}
	})
	return found, func() {
		close(ended)
		unix.Close(wake[1])
		reading.Wait()
		unix.Close(wake[0])
	}
}

// read reads one line, until wake is at its end.
func (d *dialogue) read(wake int) result {
	var line []byte
	buf := make([]byte, 4096) // a terminal's line is no longer
	for {
		ready := []unix.PollFd{{Fd: int32(d.fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
		if _, err := unix.Poll(ready, -1); err == unix.EINTR {
			continue
		} else if err != nil {
			return result{err: &readError{err}}
		}
		if ready[1].Revents != 0 {
			return result{err: ErrCancelled} // nobody waits for it
		}
		n, err := unix.Read(d.fd, buf)
		switch {
		case err == unix.EINTR || err == unix.EAGAIN:
			continue
		case err != nil || n == 0: // ^D, or the terminal is gone
			return result{err: ErrCancelled}
		}
		line = append(line, buf[:n]...)
		switch end := bytes.IndexByte(line, '\n'); {
		case len(line) > maxLine:
			return result{err: &readError{fmt.Errorf("the line is longer than %d bytes", maxLine)}}
		case end >= 0 && d.hidden && d.isShown():
			return result{err: errShown}
		case end >= 0:
			return result{line: string(line[:end])}
		}
	}
}

// isShown reports whether the terminal shows what is typed.
func (d *dialogue) isShown() bool {
	settings, err := tty.Get(d.fd)
	return err != nil || settings.Lflag&unix.ECHO != 0
}
