//go:build !linux

package child

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
)

// run is [Run] where the child stays in our process group.
func run(ctx context.Context, cmd *exec.Cmd) (int, error) {
	signals := make(chan os.Signal, 64)
	for _, sig := range append(passedOn, leftToTerminal...) {
		if !signal.Ignored(sig) { // or Notify would end the ignoring
			signal.Notify(signals, sig)
		}
	}
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return notStarted(cmd, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // ProcessState says it all
	}()
	done := ctx.Done()
	for {
		select {
		case <-ended:
			return exitCode(cmd.ProcessState), nil
		case <-done:
			terminate(cmd.Process)
			done = nil
		case sig := <-signals:
			pass(cmd.Process, sig)
		}
	}
}
