package signals

import (
	"os"
	"os/signal"
	"syscall"
)

// CatchPipe lets the process go on when the reader of its standard output or error has gone, as
// with "share 2>&1 | head -1": the write fails, and SIGPIPE doesn't end the process. The signal is
// caught and not ignored, because a command that the process starts would inherit that.
func CatchPipe() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
