package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/shsession/shsession/internal/child"
)

// interrupted is the cause of a context that a signal ended.
type interrupted struct{ signal os.Signal }

func (i interrupted) Error() string { return i.signal.String() + " signal received" }

// code is the exit code by which a shell tells that a signal ended a program.
func (i interrupted) code() int {
	if s, ok := i.signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitFailure
}

// showShell ends us by ^C, if it was that, since an interactive shell ends its loop for nothing less. Who
// has no terminal gets the exit code.
func (i interrupted) showShell() {
	if i.signal != os.Interrupt {
		return
	}
	if terminal := openControlling(); terminal != nil {
		terminal.close()
		child.EndBy(syscall.SIGINT)
	}
}

// patience is for how long after the first signal others are taken for the same wish. Timeout(1)
// sends two, and a service manager or a nervous finger may.
const patience = time.Second

// untilSignal returns a context that the first SIGINT or SIGTERM cancels, with the signal as its cause. The
// command then ends in its own time: another signal within a moment changes nothing, and one after that
// ends the process at once. One that we were started to ignore stays ignored.
func untilSignal(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	e := &endings{
		signals: make(chan os.Signal, 8),
		leave:   make(chan struct{}),
		takeUp:  make(chan struct{}),
		done:    make(chan struct{}),
		cancel:  cancel,
	}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) { // as by a shell that runs us in the background
			signal.Notify(e.signals, s)
		}
	}
	go e.watch()
	return context.WithValue(ctx, endingsKey{}, e)
}

// The endings are the signals that end the command, as one goroutine sees them.
type endings struct {
	signals       chan os.Signal
	leave, takeUp chan struct{} // asked for: to leave the signals to another, and to take them up again
	done          chan struct{} // it is done
	cancel        context.CancelCauseFunc
}

type endingsKey struct{}

// leaveToCommand leaves the signals to a command that we run, and that catches them by now. Those from before
// have cancelled ctx when it returns, and later ones won't. takeUp ends this.
func leaveToCommand(ctx context.Context) {
	if e, ok := ctx.Value(endingsKey{}).(*endings); ok {
		e.leave <- struct{}{}
		<-e.done
	}
}

// takeUpSignals ends leaveToCommand. What comes within a moment was for the command, which has ended.
func takeUpSignals(ctx context.Context) {
	if e, ok := ctx.Value(endingsKey{}).(*endings); ok {
		e.takeUp <- struct{}{}
		<-e.done
	}
}

func (e *endings) watch() {
	var first time.Time // when the first signal came, or a command that had them ended
	left := false
	take := func(s os.Signal) {
		switch {
		case left:
		case first.IsZero():
			first = time.Now()
			e.cancel(interrupted{s})
		case time.Since(first) > patience:
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
	os.Exit(interrupted{s}.code())
}
