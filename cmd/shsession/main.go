//go:build !man

// Command shsession logs in to Sentinel Hub or the Copernicus Data Space once,
// keeps the token fresh, and gives it to every process that needs it.
// `shsession --help` says how.
package main

import (
	"context"
	"os"

	"github.com/shsession/shsession/internal/signals"
)

func main() {
	ctx := signals.Until(context.Background())
	os.Exit(run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr}))
}
