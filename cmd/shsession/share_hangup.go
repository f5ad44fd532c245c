package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// hangUps tells the two meanings of SIGHUP apart. It returns a ctx that ends when the terminal that we were
// started at is gone, unless we were started to ignore that, as by nohup, and a channel that gets the SIGHUPs
// that somebody has sent for us to renew the token. stop ends it, and returns at once; another SIGHUP
// is ignored then.
func hangUps(ctx context.Context) (_ context.Context, renew <-chan os.Signal, stop func()) {
	var terminal *controlling // nil if it's no matter
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
					cancel(interrupted{sig})
					return
				}
				select {
				case asked <- sig:
				default: // one is waiting, which will do
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
