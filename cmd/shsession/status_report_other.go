//go:build !linux

package main

import (
	"context"
	"log/slog"

	"github.com/shsession/shsession"
)

// There is no shared memory but on Linux, and so nobody to ask.
func tellStatus(context.Context, *slog.Logger, func() shsession.SharingStatus) {}

func askSharer(context.Context, int) *sharerReport { return nil }
