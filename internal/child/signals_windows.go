package child

import (
	"os"
	"syscall"
)

// ^C reaches every process of the console, the child among them. We outlive it.
var leftToTerminal = []os.Signal{os.Interrupt}

var passedOn []os.Signal // Windows has none

func pass(*os.Process, os.Signal) {}

func terminate(p *os.Process) {
	_ = p.Kill() // fails only when the child has ended, which Wait is about to say
}

func exitOf(state *os.ProcessState, _ map[os.Signal]bool) Exit { return Exit{Code: state.ExitCode()} }

// EndBy returns: on Windows no signal ends a process.
func EndBy(syscall.Signal) {}
