package share

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/signals"
	"github.com/shsession/shsession/shm"
)

// An ExitError says how the command of a share has ended, or with Err, why it couldn't be started.
type ExitError struct {
	child.Exit
	Err error // nil if the command was started
}

func (e *ExitError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("the command has ended with exit code %d", e.Code)
}

func (e *ExitError) Unwrap() error { return e.Err }

// runCommand runs the command and waits for its end. Meanwhile the command gets the signals that
// otherwise end ctx.
func (s *Sharer) runCommand(ctx context.Context) error {
	shared := s.childEnv()
	if file := child.ReplacedHeaderFile(os.Environ(), shared); file != "" {
		s.Logger.Warn("for the command, GDAL_HTTP_HEADER_FILE names the shared header instead of " + display.Line(file) + ", whose headers GDAL won't send")
	}
	exit, err := child.Run(ctx, child.Command{
		Args:   s.Command,
		Env:    child.Environ(os.Environ(), shared),
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Caught: func() { signals.Leave(ctx) },
	})
	signals.TakeUp(ctx)
	if err == nil && exit.Code == 0 {
		return nil
	}
	return &ExitError{exit, err}
}

// childEnv says what the command's environment tells about the shared token: where the first
// segment and the first header file are.
func (s *Sharer) childEnv() child.Shared {
	shared := child.Shared{KeepSecret: s.KeepSecret, Login: s.Endpoint.Login()}
	for _, sink := range s.Sinks {
		switch sink := sink.(type) {
		case *shm.Store:
			if shared.Name == "" {
				shared.Name = strings.TrimPrefix(sink.String(), "shm:")
			}
		case *filesink.Sink:
			if shared.HeaderFile == "" && sink.Format() == filesink.Header {
				shared.HeaderFile = sink.Path()
			}
		}
	}
	return shared
}
