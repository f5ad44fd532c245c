// Package logs writes what a command tells beside its result: a log, and lines for people.
//
// Standard error is read by people, by a program that collects JSON, or by systemd's journal
// (systemd.exec(5), JOURNAL_STREAM). An [Output] writes the same news in the form for each.
package logs

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/logqueue"
)

// The formats of a service's log.
const (
	Text = "text"
	JSON = "json"
)

// hintKey is the attribute of an error that holds what the user can do about it.
const hintKey = "hint"

// patience is how long Flush waits for a reader.
const patience = 2 * time.Second

// An Output is where one run of the command writes. Its methods, and its loggers, don't wait for the
// reader of standard error: they write to a queue. While standard error isn't read, the queue drops
// records, and it reports their number later. Flush waits.
type Output struct {
	Out, Err io.Writer // standard output and standard error
	Verbose  bool      // log at level debug
	Format   string    // of a service's log: Text or JSON; "" is Text

	queue logqueue.Queue
}

// Logger returns the logger of a command that ends by itself. People get warnings as lines; with
// Verbose, the log has everything.
func (o *Output) Logger() *slog.Logger {
	if o.Verbose {
		return o.ServiceLogger()
	}
	return slog.New(o.queue.Handler(lines{o.Err}))
}

// ServiceLogger returns the logger of a command that runs until it is stopped.
func (o *Output) ServiceLogger() *slog.Logger {
	if o.Verbose {
		return o.records(slog.LevelDebug)
	}
	return o.records(slog.LevelInfo)
}

func (o *Output) records(level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	switch {
	case o.Format == JSON:
		return slog.New(o.queue.Handler(slog.NewJSONHandler(o.Err, options)))
	case isJournal(o.Err):
		return slog.New(o.queue.Handler(newJournalHandler(o.Err, level)))
	}
	return slog.New(o.queue.Handler(slog.NewTextHandler(o.Err, options)))
}

// HasRecords reports whether the reader of standard error expects the records of a log, each with
// its level, instead of lines for people: the format is JSON, or the reader is systemd's journal.
func (o *Output) HasRecords() bool { return o.Format == JSON || isJournal(o.Err) }

// news returns the logger of what the user has to know.
func (o *Output) news() *slog.Logger {
	if o.HasRecords() {
		return o.records(slog.LevelInfo)
	}
	return slog.New(o.queue.Handler(lines{o.Err}))
}

// Warn tells the user of something that works but should be changed.
func (o *Output) Warn(text string) { o.news().Warn(display.Line(text)) }

// Fail writes the error that ends the command, and what the user can do about it, or "".
func (o *Output) Fail(err error, hint string) {
	if hint == "" {
		o.news().Error(display.Line(err.Error()))
		return
	}
	o.news().Error(display.Line(err.Error()), hintKey, display.Line(hint))
}

// Announce says what a service does from now on: a text for people on standard output, or, where
// the format is JSON, a record in the service's log.
func (o *Output) Announce(logger *slog.Logger, text, record string, attrs ...any) {
	if o.Format == JSON {
		logger.Info(record, attrs...)
		return
	}
	slog.New(o.queue.Handler(texts{o.Out})).Info(text)
}

// Flush waits until everything is written, for 2 seconds at most.
func (o *Output) Flush() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o.queue.Flush(ctx)
}
