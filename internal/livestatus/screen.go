package livestatus

import (
	"io"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/shsession/shsession/internal/display"
)

// A screen is a view that draws a picture on a terminal. The terminal's former content comes back in
// the end.
type screen struct {
	terminal *os.File
	painter  painter
	recent   []change // the newest last
	arrived  chan os.Signal
	quit     chan struct{} // closed by end
	end      func()        // is called when the user has seen enough
	keyboard *keyboard
	showHelp atomic.Bool   // the keys are shown
	again    chan struct{} // the watch is to be drawn at once
	isShown  bool
	isNew    bool // nothing was shown yet
}

// kept is how many changes a screen remembers, more than any terminal has lines.
const kept = 200

// Control sequences of terminals (ECMA-48, and xterm's private modes).
const (
	enterScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l" // the alternate screen, no cursor, no wrapped lines
	leaveScreen = "\x1b[?7h\x1b[?25h\x1b[?1049l"
	home        = "\x1b[H"
	clearLine   = "\x1b[K" // from the cursor to the end
)

func openScreen(terminal *os.File) *screen {
	s := &screen{
		terminal: terminal,
		painter:  painter{hasColour: os.Getenv("NO_COLOR") == "", isASCII: !display.IsUTF8()},
		arrived:  make(chan os.Signal, 8),
		quit:     make(chan struct{}),
		again:    make(chan struct{}, 1),
		isNew:    true,
	}
	s.end = sync.OnceFunc(func() { close(s.quit) })
	s.keyboard = &keyboard{terminal: terminal, quit: s.end, help: s.toggleHelp}
	if len(screenSignals) > 0 {
		signal.Notify(s.arrived, screenSignals...)
	}
	return s
}

func (s *screen) signals() <-chan os.Signal { return s.arrived }

func (s *screen) enough() <-chan struct{} { return s.quit }

func (s *screen) redraw() <-chan struct{} { return s.again }

// toggleHelp shows what the keys do, or hides it again.
func (s *screen) toggleHelp() {
	s.showHelp.Store(!s.showHelp.Load())
	select {
	case s.again <- struct{}{}:
	default: // it is on its way
	}
}

func (s *screen) show(w *watch, changes []change) error {
	if s.isNew { // it shows what there is already
		changes, s.isNew = nil, false
	}
	s.recent = append(s.recent, changes...)
	s.recent = s.recent[max(0, len(s.recent)-kept):]
	if !inForeground(s.terminal) { // the terminal is the shell's
		return nil
	}
	width, height, err := term.GetSize(int(s.terminal.Fd()))
	if err != nil || width <= 0 || height <= 0 { // a terminal that doesn't know
		width, height = 80, 24
	}
	text := home
	if !s.isShown {
		text = enterScreen + home
		s.isShown = true
		s.keyboard.take()
	}
	for i, line := range s.painter.frame(picture{w, s.recent, time.Now(), width, height, s.showHelp.Load()}) {
		if i > 0 {
			text += "\r\n"
		}
		text += clearLine + line
	}
	_, err = io.WriteString(s.terminal, text)
	return err
}

// leave restores the terminal.
func (s *screen) leave() {
	if s.isShown {
		_, _ = io.WriteString(s.terminal, leaveScreen) // an error means that the terminal is gone
		s.isShown = false
		s.keyboard.give()
	}
}

func (s *screen) close() {
	signal.Stop(s.arrived)
	s.leave()
}
