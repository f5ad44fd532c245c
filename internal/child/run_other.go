//go:build !linux

package child

import (
	"context"
	"fmt"
	"os"
	"os/signal"
)

// run is [Run] where the child stays in our process group.
func run(ctx context.Context, c Command) (Exit, error) {
	signals := make(chan os.Signal, 64)
	for _, sig := range append(passedOn, leftToTerminal...) {
		if !signal.Ignored(sig) { // or Notify would end the ignoring
			signal.Notify(signals, sig)
		}
	}
	defer signal.Stop(signals)
	if err := c.caught(ctx); err != nil {
		return Exit{Code: NotExecutable}, err
	}
	release, err := endWithUs()
	if err != nil {
		return Exit{Code: NotExecutable}, fmt.Errorf("%s can't be started: %w", c.Args[0], err)
	}
	defer release()
	cmd, code, err := c.start(nil)
	if err != nil {
		return Exit{Code: code}, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // ProcessState says it all
	}()
	done := ctx.Done()
	passed := map[os.Signal]bool{}
	for {
		select {
		case <-ended:
			return exitOf(cmd.ProcessState, passed), nil
		case <-done:
			terminate(cmd.Process)
			done = nil
		case sig := <-signals:
			passed[sig] = true
			pass(cmd.Process, sig)
		}
	}
}
