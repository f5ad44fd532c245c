package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// logger returns the logger of a command that ends by itself. Warnings appear as lines
// for people; under -v it logs everything.
func (a *app) logger() *slog.Logger {
	if a.verbose {
		return a.serviceLogger()
	}
	return slog.New(lines{a.err})
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
	return slog.New(a.serviceHandler(slog.LevelInfo))
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
