package logqueue_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/internal/logqueue"
)

// A gate is a writer that blocks until it is opened.
type gate struct {
	bytes.Buffer
	open chan struct{}
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.Buffer.Write(p)
}

// The records reach the log in their order, with the attributes of their loggers.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q logqueue.Queue
		var out bytes.Buffer
		first := slog.New(q.Handler(slog.NewTextHandler(&out, nil)))
		second := first.With("from", "second").WithGroup("group")
		var want strings.Builder
		for i := range 100 {
			first.Info("one", "i", i)
			second.Info("two", "i", i)
			fmt.Fprintf(&want, "one i=%d\ntwo from=second group.i=%d\n", i, i)
		}
		q.Flush(t.Context())
		got := strings.ReplaceAll(out.String(), "time="+time.Now().Format("2006-01-02T15:04:05.000Z07:00")+" level=INFO msg=", "")
		if got != want.String() {
			t.Errorf("the log is\n%s\nwant\n%s", got, want.String())
		}
	})
}

// Nobody waits for a log that isn't read. What is dropped is counted, and said when it is read again.
func TestDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const extra = 7
		out := &gate{open: make(chan struct{})}
		logger := logqueue.Logger(slog.New(slog.NewTextHandler(out, nil)))
		logger.Info("in the handler")
		synctest.Wait() // the handler has it
		for range logqueue.Limit + extra {
			logger.Info("waits")
		}
		close(out.open)
		synctest.Wait()
		text := out.String()
		if n := strings.Count(text, "msg=waits"); n != logqueue.Limit {
			t.Errorf("%d records were written, want %d", n, logqueue.Limit)
		}
		if !strings.Contains(text, fmt.Sprintf("dropped=%d\n", extra)) || strings.Count(text, "dropped=") != 1 {
			t.Errorf("the log doesn't say once that %d were dropped:\n%.1000s", extra, text)
		}
	})
}

// Flush doesn't wait for a log that isn't read when its context ends.
func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q logqueue.Queue
		q.Flush(t.Context()) // of nothing
		out := &gate{open: make(chan struct{})}
		slog.New(q.Handler(slog.NewTextHandler(out, nil))).Info("stuck")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		q.Flush(ctx)
		if ctx.Err() == nil {
			t.Error("Flush returned before the record was written")
		}
		close(out.open)
		q.Flush(t.Context())
		if !strings.Contains(out.String(), "msg=stuck") {
			t.Error("Flush returned before the record was written")
		}
	})
}

// A logger with a queue doesn't get a second one.
func TestOneQueue(t *testing.T) {
	once := logqueue.Logger(slog.New(slog.DiscardHandler))
	for _, l := range []*slog.Logger{once, once.With("a", 1), once.WithGroup("b")} {
		if logqueue.Logger(l) != l {
			t.Errorf("%v has two queues", l)
		}
	}
}
