package redisstore

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogClient makes go-redis log to logger, at debug level, instead of to standard error.
// Most of its records are failed dials, which are also returned as errors. go-redis has one
// logger for the whole process, for all Redis clients, this package's and others'. Call
// LogClient in a program's main function, once, before the first client is made.
func LogClient(logger *slog.Logger) { redis.SetLogger(clientLog{logger}) }

// A clientLog is a go-redis logger.
type clientLog struct{ logger *slog.Logger }

func (l clientLog) Printf(ctx context.Context, format string, v ...any) {
	if l.logger.Enabled(ctx, slog.LevelDebug) {
		l.logger.DebugContext(ctx, fmt.Sprintf(format, v...))
	}
}
