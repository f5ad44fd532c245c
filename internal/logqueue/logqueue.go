// Package logqueue keeps a log from delaying the program that writes it: records wait in a bounded
// queue, and one goroutine passes them to the handler. While that goroutine blocks, because the log
// isn't read, further records are dropped and counted, and reported when the log is read again.
package logqueue

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Limit is how many records wait at most.
const Limit = 512

// A Queue is a queue of log records. The zero Queue is ready for use. Its goroutine runs only while
// there are records.
type Queue struct {
	mu      sync.Mutex    // guards the fields below
	waiting []entry       // in the order of their arrival
	dropped int           // since the last record was handed on
	idle    chan struct{} // is closed when all records are handed on; nil while there are none
}

// An entry is a record, and the handler that gets it.
type entry struct {
	ctx    context.Context // for its values
	next   slog.Handler
	record slog.Record
}

// Handler returns a handler whose Handle puts the record into q, for next, and returns at once.
// Several handlers can have one queue, which keeps the order of their records.
func (q *Queue) Handler(next slog.Handler) slog.Handler { return handler{q, next} }

// Flush returns when all records are handed on, or ctx is done.
func (q *Queue) Flush(ctx context.Context) {
	q.mu.Lock()
	idle := q.idle
	q.mu.Unlock()
	if idle == nil {
		return
	}
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

func (q *Queue) add(e entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= Limit {
		q.dropped++
		return
	}
	q.waiting = append(q.waiting, e)
	if q.idle == nil {
		q.idle = make(chan struct{})
		go q.run()
	}
}

// run hands on the records until there are none.
func (q *Queue) run() {
	for {
		e, dropped, ok := q.take()
		if !ok {
			return
		}
		if dropped > 0 {
			report := slog.NewRecord(time.Now(), slog.LevelWarn, "log records were dropped, because the log wasn't read", 0)
			report.AddAttrs(slog.Int("dropped", dropped))
			_ = e.next.Handle(e.ctx, report) // a log that fails has nobody to be told
		}
		_ = e.next.Handle(e.ctx, e.record)
	}
}

// take takes the next record, and how many were dropped. Without a record the queue is idle.
func (q *Queue) take() (e entry, dropped int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) == 0 {
		close(q.idle)
		q.waiting, q.idle = nil, nil
		return entry{}, 0, false
	}
	e, q.waiting = q.waiting[0], q.waiting[1:]
	dropped, q.dropped = q.dropped, 0
	return e, dropped, true
}

// Logger returns a logger that does as l does, and never blocks. If l has a queue, it is l.
func Logger(l *slog.Logger) *slog.Logger {
	if _, ok := l.Handler().(handler); ok {
		return l
	}
	return slog.New(new(Queue).Handler(l.Handler()))
}

// A handler is a slog.Handler in front of another.
type handler struct {
	queue *Queue
	next  slog.Handler
}

func (h handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	h.queue.add(entry{context.WithoutCancel(ctx), h.next, r.Clone()})
	return nil
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.queue, h.next.WithAttrs(attrs)}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.queue, h.next.WithGroup(name)}
}
