package logs

import (
	"context"
	"io"
	"log/slog"
	"strings"

	"github.com/shsession/shsession/internal/display"
)

// lines is a log handler for people: each warning and error is a line, and a hint is one too.
type lines struct{ out io.Writer }

func (l lines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (l lines) Handle(_ context.Context, r slog.Record) error {
	var line strings.Builder
	line.WriteString("shsession: ")
	if r.Level < slog.LevelError {
		line.WriteString("warning: ")
	}
	line.WriteString(r.Message)
	hint := ""
	r.Attrs(func(attr slog.Attr) bool {
		switch attr.Key {
		case "error":
			line.WriteString(": " + attr.Value.String())
		case hintKey:
			hint = attr.Value.String()
		case "dropped":
			line.WriteString(" (" + attr.Value.String() + ")")
		case "retry_in":
			line.WriteString("; trying again in " + attr.Value.String())
		}
		return true
	})
	text := display.Line(line.String()) + "\n"
	if hint != "" {
		text += "hint: " + display.Line(hint) + "\n"
	}
	_, err := io.WriteString(l.out, text)
	return err
}

// WithAttrs returns l: a line shows the error and the next attempt of its own record alone.
func (l lines) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup returns l.
func (l lines) WithGroup(string) slog.Handler { return l }

// texts is a log handler that writes the message alone.
type texts struct{ out io.Writer }

func (texts) Enabled(context.Context, slog.Level) bool { return true }

func (t texts) Handle(_ context.Context, r slog.Record) error {
	_, err := io.WriteString(t.out, r.Message+"\n")
	return err
}

// WithAttrs returns t: a text has no attributes.
func (t texts) WithAttrs([]slog.Attr) slog.Handler { return t }

// WithGroup returns t.
func (t texts) WithGroup(string) slog.Handler { return t }
