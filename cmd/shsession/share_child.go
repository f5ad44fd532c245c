package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/shm"
)

// A childExit says how a command that we ran has ended, or with err, why it couldn't be started.
type childExit struct {
	child.Exit
	err error
}

func (e *childExit) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	return fmt.Sprintf("the command has ended with exit code %d", e.Code)
}

func (e *childExit) Unwrap() error { return e.err }

// runCommand runs the command, which gets the signals that end ctx elsewhere.
func (s *sharer) runCommand(ctx context.Context) error {
	exit, err := child.Run(ctx, child.Command{
		Args:   s.command,
		Env:    child.Environ(os.Environ(), s.told()),
		Stdin:  os.Stdin,
		Stdout: os.Stdout,
		Stderr: os.Stderr,
		Caught: func() { leaveToCommand(ctx) },
	})
	takeUpSignals(ctx)
	if err == nil && exit.Code == exitOK {
		return nil
	}
	return &childExit{exit, err}
}

// told is what the command is told of where the token is: the first segment and the first header file.
func (s *sharer) told() child.Shared {
	shared := child.Shared{KeepSecret: s.keepSecret}
	for _, sink := range s.sinks {
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
