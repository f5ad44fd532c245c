package prompt

import (
	"context"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// ask asks a question at a console and returns the answer, without its line's end. If ctx ends
// first, the read goes on.
func ask(ctx context.Context, console *os.File, out io.Writer, question string, hidden bool) (string, error) {
	fd := int(console.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	defer term.Restore(fd, before) // the read doesn't restore it if ctx ends first
	fmt.Fprint(out, question)
	return await(ctx, func() (string, error) {
		var line string
		var err error
		if hidden {
			var secret []byte
			secret, err = term.ReadPassword(fd)
			line = string(secret)
			fmt.Fprintln(out)
		} else {
			line, err = firstLine(console)
		}
		if err == io.EOF {
			err = ErrCancelled
		}
		return line, err
	})
}
