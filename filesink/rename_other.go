//go:build !windows

package filesink

import (
	"context"
	"os"
)

// rename replaces newPath by oldPath.
func rename(_ context.Context, oldPath, newPath string) error { return os.Rename(oldPath, newPath) }
