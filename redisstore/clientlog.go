package redisstore

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// LogClient sends what the Redis client itself has to say to logger, at debug
// level, instead of to standard error: failed dials, for the most part, which come back as
// errors anyway. go-redis has one logger for the whole process, so it holds for every Redis
// client there, this package's and others': it is for a program's main function, once, before
// the first client is made.
func LogClient(logger *slog.Logger) { redis.SetLogger(clientLog{logger}) }

// A clientLog is a go-redis logger.
type clientLog struct{ logger *slog.Logger }

func (l clientLog) Printf(ctx context.Context, format string, v ...any) {
	if l.logger.Enabled(ctx, slog.LevelDebug) {
		l.logger.DebugContext(ctx, fmt.Sprintf(format, v...))
	}
}
