package signals

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// HangUps separates the two meanings of SIGHUP. The context that it returns ends when the terminal
// at which the process was started is closed; the cause is an [Interrupted]. A process that was
// started to ignore SIGHUP, as by nohup, goes on. renew gets every other SIGHUP: another process has
// sent it to renew the token. stop ends all this and returns at once; then SIGHUP is ignored.
func HangUps(ctx context.Context) (_ context.Context, renew <-chan os.Signal, stop func()) {
	var terminal *controlling // nil without one
	if !signal.Ignored(syscall.SIGHUP) {
		terminal = openControlling()
	}
	signals, asked := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	ctx, cancel := context.WithCancelCause(ctx)
	var listening sync.WaitGroup
	listening.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case sig := <-signals:
				if terminal.hungUp() {
					cancel(Interrupted{sig})
					return
				}
				select {
				case asked <- sig:
				default: // one is waiting, which is enough
				}
			}
		}
	})
	return ctx, asked, func() {
		cancel(nil)
		listening.Wait()
		terminal.close()
	}
}
