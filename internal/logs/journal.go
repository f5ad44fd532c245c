package logs

import (
	"bytes"
	"io"
	"log/slog"
)

// newJournalHandler returns a handler that logs to systemd's journal through standard error. The
// journal adds the time of a record; the level is a prefix that the journal knows (sd-daemon(3)).
func newJournalHandler(out io.Writer, level slog.Level) slog.Handler {
	return slog.NewTextHandler(journalWriter{out}, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey && len(groups) == 0 {
				return slog.Attr{}
			}
			return attr
		},
	})
}

// A journalWriter replaces the level that a line of a slog.TextHandler begins with.
type journalWriter struct{ out io.Writer }

func (w journalWriter) Write(line []byte) (int, error) {
	for _, level := range []struct{ text, prefix string }{
		{"level=DEBUG ", "<7>"},
		{"level=INFO ", "<6>"},
		{"level=WARN ", "<4>"},
		{"level=ERROR ", "<3>"},
	} {
		if rest, ok := bytes.CutPrefix(line, []byte(level.text)); ok {
			_, err := w.out.Write(append([]byte(level.prefix), rest...))
			return len(line), err
		}
	}
	return w.out.Write(line)
}
