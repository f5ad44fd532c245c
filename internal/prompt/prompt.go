// Package prompt asks the user for a line of text, or for a secret.
package prompt

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
)

// maxLine is the length in bytes that a line must stay below.
const maxLine = 64 << 10

// ErrCancelled: the user has ended the input at the terminal (^D on an empty line), or the terminal
// is gone. Nothing was answered.
var ErrCancelled = errors.New("cancelled")

// IsTerminal reports whether in is a terminal, where somebody can be asked.
func IsTerminal(in io.Reader) bool { return display.Terminal(in) != nil }

// Secret reads a secret from in. At a terminal it asks the question, which is written to out, and
// what is typed isn't shown; the terminal is as it was when Secret returns, and while the process
// is stopped. Elsewhere the secret is the first line. The zero Secret means that the line was
// empty. Secret returns when ctx is done, with its cause.
func Secret(ctx context.Context, in io.Reader, out io.Writer, question string) (shsession.Secret, error) {
	line, err := read(ctx, in, out, question, true)
	if err != nil {
		return shsession.Secret{}, failure("the secret", err)
	}
	return shsession.NewSecret(line), nil
}

// Line reads a line of text from in, as [Secret] does, but shows what is typed.
func Line(ctx context.Context, in io.Reader, out io.Writer, question string) (string, error) {
	line, err := read(ctx, in, out, question, false)
	if err != nil {
		return "", failure("the answer", err)
	}
	return strings.TrimSpace(line), nil
}

// failure says what couldn't be read, unless the user or a signal has ended it.
func failure(what string, err error) error {
	var read *readError
	if errors.As(err, &read) {
		return fmt.Errorf("read %s from standard input: %w", what, read.error)
	}
	return err
}

// A readError is an error of the input.
type readError struct{ error }

// A result is a line that was read, or why there is none.
type result struct {
	line string
	err  error
}

func read(ctx context.Context, in io.Reader, out io.Writer, question string, hidden bool) (string, error) {
	if file := display.Terminal(in); file != nil {
		return ask(ctx, file, out, question, hidden)
	}
	return await(ctx, func() (string, error) {
		line, err := firstLine(in)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return line, err
	})
}

// await returns what read does, or ctx's cause if ctx is done before; then the read goes on.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	done := make(chan result, 1)
	go func() {
		line, err := read()
		done <- result{line, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, ErrCancelled) {
			r.err = &readError{r.err}
		}
		return r.line, r.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// firstLine reads the first line of r, without its end.
func firstLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxLine)).ReadString('\n')
	if len(line) == maxLine {
		return "", fmt.Errorf("the line is longer than %d bytes", maxLine)
	}
	return strings.TrimRight(line, "\r\n"), err
}
