package filesink

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/windows"
)

// rename replaces newPath by oldPath. Windows refuses that for as long as a program has
// newPath open, so it tries again for a second at most.
func rename(ctx context.Context, oldPath, newPath string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		err := os.Rename(oldPath, newPath)
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return err
		}
	}
}
