//go:build !linux

package status

import (
	"context"
	"log/slog"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

// Serve does nothing on this system.
func Serve(context.Context, *slog.Logger, func() shsession.SharingStatus, func() tokenendpoint.Status) {
}

// Ask returns nil on this system.
func Ask(context.Context, int) *Report { return nil }
