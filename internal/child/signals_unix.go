//go:build unix && !linux

package child

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"
)

// The terminal sends these to every process of our group, the child among them. We outlive them.
var leftToTerminal = []os.Signal{syscall.SIGINT, syscall.SIGQUIT}

// These are sent to us alone.
var passedOn = []os.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGUSR2}

func pass(p *os.Process, sig os.Signal) {
	if slices.Contains(passedOn, sig) {
		_ = p.Signal(sig) // fails only when the child has ended, which Wait is about to say
	}
}

func terminate(p *os.Process) { pass(p, syscall.SIGTERM) }

// exitOf says how the child ended, given the signals that reached us meanwhile.
func exitOf(state *os.ProcessState, reached map[os.Signal]bool) Exit {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return Exit{Code: state.ExitCode()}
	}
	sig := status.Signal()
	exit := Exit{Code: 128 + int(sig)}
	if sig == syscall.SIGINT && reached[sig] {
		exit.Key = sig
	}
	return exit
}

// endWithUs does nothing: on these systems a process isn't told of its parent's end.
func endWithUs() (release func(), err error) { return func() {}, nil }

// EndBy ends our process by a signal, or returns if it can't.
func EndBy(sig syscall.Signal) {
	signal.Reset(sig)
	_ = syscall.Kill(os.Getpid(), sig) // it's ours to signal
	<-time.After(time.Second)          // until it has reached us
}
