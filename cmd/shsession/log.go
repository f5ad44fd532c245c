package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// logger returns the logger of a command that ends by itself. Warnings appear as lines
// for people; under -v it logs everything.
func (a *app) logger() *slog.Logger {
	if a.verbose {
		return a.serviceLogger()
	}
	return slog.New(a.late)
}

// The formats of a service's log.
const (
	logText = "text"
	logJSON = "json"
)

// serviceLogger returns the logger of a command that runs until it is stopped.
func (a *app) serviceLogger() *slog.Logger {
	if a.verbose {
		return slog.New(a.serviceHandler(slog.LevelDebug))
	}
	a.late.to = a.serviceHandler(slog.LevelInfo)
	return slog.New(a.late)
}

func (a *app) serviceHandler(level slog.Level) slog.Handler {
	switch {
	case a.logFormat.value == logJSON:
		return slog.NewJSONHandler(a.err, &slog.HandlerOptions{Level: level})
	case isJournal(a.err):
		return newJournalHandler(a.err, level)
	}
	return slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: level})
}

// logsRecords reports whether whatever reads standard error expects records of a log, each with its level,
// and not lines for people: where it was asked for JSON, and in systemd's journal.
func (a *app) logsRecords() bool { return a.logFormat.value == logJSON || isJournal(a.err) }

// warn tells the user of something that works but should be changed.
func (a *app) warn(text string) {
	if a.logsRecords() {
		slog.New(a.serviceHandler(slog.LevelInfo)).Warn(printable(text))
		return
	}
	fmt.Fprintf(a.err, "shsession: warning: %s\n", printable(text))
}

// announce says what a service does from now on: to people as text on standard output, or, where the log is
// JSON, as a record there.
func (a *app) announce(logger *slog.Logger, text, record string, attrs ...any) {
	if a.logFormat.value == logJSON {
		logger.Info(record, attrs...)
		return
	}
	fmt.Fprintln(a.out, text)
}

// lines is a log handler for people: a warning becomes a line.
type lines struct{ out io.Writer }

func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	line.WriteString("shsession: warning: " + r.Message)
	r.Attrs(func(attr slog.Attr) bool {
		switch attr.Key {
		case "error":
			line.WriteString(": " + attr.Value.String())
		case "retry_in":
			line.WriteString("; trying again in " + attr.Value.String())
		}
		return true
	})
	_, err := fmt.Fprintln(l.out, printable(line.String()))
	return err
}

// WithAttrs returns l: of attributes only a record's error and its next attempt are shown.
func (l lines) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup returns l.
func (l lines) WithGroup(string) slog.Handler { return l }

// lateness is how long a warning is held back.
const lateness = 300 * time.Millisecond

// late is a log handler that holds a warning back for a moment, since the command may be about to
// end with the very error that it warns of, which is to be written once.
type late struct {
	to slog.Handler

	mu   sync.Mutex // guards held and due, and keeps the records in order
	held *slog.Record
	due  *time.Timer
}

func (l *late) Enabled(ctx context.Context, level slog.Level) bool { return l.to.Enabled(ctx, level) }

func (l *late) Handle(ctx context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
	if r.Level < slog.LevelWarn {
		return l.to.Handle(ctx, r)
	}
	r = r.Clone()
	l.held = &r
	l.due = time.AfterFunc(lateness, l.flush)
	return nil
}

// WithAttrs returns a handler that holds nothing back.
func (l *late) WithAttrs(attrs []slog.Attr) slog.Handler { return l.to.WithAttrs(attrs) }

// WithGroup returns a handler that holds nothing back.
func (l *late) WithGroup(name string) slog.Handler { return l.to.WithGroup(name) }

// flush writes what is held back.
func (l *late) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.release()
}

// drop forgets what is held back.
func (l *late) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = nil
	l.release()
}

// release writes what is held back. l.mu is held.
func (l *late) release() {
	if l.due != nil {
		l.due.Stop()
	}
	r := l.held
	l.held = nil
	if r != nil {
		l.to.Handle(context.Background(), *r) // an error means that nobody is there to be told
	}
}
