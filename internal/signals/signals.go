// Package signals cancels a context when a signal is to end the command, and tells the two meanings
// of SIGHUP apart.
package signals

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/shsession/shsession/internal/child"
)

// Interrupted is the cause of a context that a signal ended.
type Interrupted struct{ Signal os.Signal }

func (i Interrupted) Error() string { return i.Signal.String() + " signal received" }

// Code returns the exit code by which a shell says that a signal ended a program.
func (i Interrupted) Code() int {
	if s, ok := i.Signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return 1
}

// ShowShell ends the process by SIGINT if that was the signal and there is a controlling terminal:
// an interactive shell ends its loop only for a program that SIGINT has ended. Otherwise ShowShell
// returns.
func (i Interrupted) ShowShell() {
	if i.Signal != os.Interrupt {
		return
	}
	if terminal := openControlling(); terminal != nil {
		terminal.close()
		child.EndBy(syscall.SIGINT)
	}
}

// Patience is how long after the first signal another one changes nothing. timeout(1) sends two at
// once.
const Patience = time.Second

// Until returns a context that the first SIGINT or SIGTERM cancels; the cause is an [Interrupted].
// Another signal within [Patience] changes nothing, and one after that ends the process at once. A
// signal that the process was started to ignore stays ignored. Until is called once in a process.
func Until(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	e := &endings{
		signals: make(chan os.Signal, 8),
		leave:   make(chan struct{}),
		takeUp:  make(chan struct{}),
		done:    make(chan struct{}),
		cancel:  cancel,
	}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) { // as by a shell that runs the process in the background
			signal.Notify(e.signals, s)
		}
	}
	go e.watch()
	return context.WithValue(ctx, endingsKey{}, e)
}

// endings are the signals that end the command. One goroutine watches them.
type endings struct {
	signals       chan os.Signal
	leave, takeUp chan struct{} // requests of Leave and TakeUp
	done          chan struct{} // the request is fulfilled
	cancel        context.CancelCauseFunc
}

type endingsKey struct{}

// Leave leaves the signals to a child that the process runs, and that gets them from now on. A
// signal that came before has cancelled the context of [Until] when Leave returns; later ones
// don't, until TakeUp. ctx is that context or one made from it.
func Leave(ctx context.Context) {
	if e, ok := ctx.Value(endingsKey{}).(*endings); ok {
		e.leave <- struct{}{}
		<-e.done
	}
}

// TakeUp ends [Leave]. A signal that comes within [Patience] was for the child, which has ended, and
// changes nothing.
func TakeUp(ctx context.Context) {
	if e, ok := ctx.Value(endingsKey{}).(*endings); ok {
		e.takeUp <- struct{}{}
		<-e.done
	}
}

func (e *endings) watch() {
	var first time.Time // when the first signal came, or TakeUp was called
	left := false
	take := func(s os.Signal) {
		switch {
		case left:
		case first.IsZero():
			first = time.Now()
			e.cancel(Interrupted{s})
		case time.Since(first) > Patience:
			endAtOnce(s)
		}
	}
	for {
		select {
		case s := <-e.signals:
			take(s)
		case <-e.leave:
			for len(e.signals) > 0 {
				take(<-e.signals)
			}
			left = true
			e.done <- struct{}{}
		case <-e.takeUp:
			first, left = time.Now(), false
			e.done <- struct{}{}
		}
	}
}

// endAtOnce ends the process as the signal would have.
func endAtOnce(s os.Signal) {
	if number, ok := s.(syscall.Signal); ok {
		child.EndBy(number)
	}
	os.Exit(Interrupted{s}.Code())
}
