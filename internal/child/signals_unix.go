//go:build unix && !linux

package child

import (
	"os"
	"slices"
	"syscall"
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

func exitCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}
