package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/shsession/shsession"
)

// maxLine is the length in bytes that a secret's line must stay below.
const maxLine = 64 << 10

// readSecret reads a secret from standard input: after a prompt and without echo from a
// terminal, else one line. The zero Secret means that the line was empty. It returns when
// ctx is done, though the read goes on.
func (a *app) readSecret(ctx context.Context, prompt string) (shsession.Secret, error) {
	read := func() (string, error) { return firstLine(a.in) }
	if file, ok := a.in.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		fd := int(file.Fd())
		before, err := term.GetState(fd)
		if err != nil {
			return shsession.Secret{}, err
		}
		defer term.Restore(fd, before) // the read doesn't, where ctx ends it
		fmt.Fprint(a.err, prompt)
		defer fmt.Fprintln(a.err)
		read = func() (string, error) {
			line, err := term.ReadPassword(fd)
			return string(line), err
		}
	}
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := read()
		done <- result{line, err}
	}()
	select {
	case r := <-done:
		if r.err != nil && !errors.Is(r.err, io.EOF) {
			return shsession.Secret{}, fmt.Errorf("read the secret from standard input: %w", r.err)
		}
		return shsession.NewSecret(r.line), nil
	case <-ctx.Done():
		return shsession.Secret{}, context.Cause(ctx)
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
