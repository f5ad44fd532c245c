package child

import "os"

// ^C reaches every process of the console, the child among them. We outlive it.
var leftToTerminal = []os.Signal{os.Interrupt}

var passedOn []os.Signal // Windows has none

func pass(*os.Process, os.Signal) {}

func terminate(p *os.Process) {
	_ = p.Kill() // fails only when the child has ended, which Wait is about to say
}

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
