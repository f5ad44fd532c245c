package envsecret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/shsession/shsession"
)

// commandTime bounds a command.
const commandTime = 30 * time.Second

// IsCommand reports whether the variable name_COMMAND is set. With name or name_FILE set too, the
// error says so.
func IsCommand(name string) (bool, error) {
	if os.Getenv(name+"_COMMAND") == "" {
		return false, nil
	}
	for _, other := range []string{name, name + "_FILE"} {
		if os.Getenv(other) != "" {
			return false, fmt.Errorf("%s and %s_COMMAND are both set: unset one of them", other, name)
		}
	}
	return true, nil
}

// Run runs the command line in the variable name_COMMAND by the system's shell, and returns what it
// prints: one line, as in the file of [Read]. The command reads nothing, doesn't see the variable,
// and is killed when ctx is done, and after thirty seconds at the latest. What it writes to
// standard error is seen at a terminal alone, since it might be the secret: it goes to no file, log
// or error.
func Run(ctx context.Context, name string) (shsession.Secret, error) {
	variable := name + "_COMMAND"
	text, err := run(ctx, variable)
	if err == nil {
		text, err = oneLine("what it printed", text)
	}
	if err != nil {
		return shsession.Secret{}, fmt.Errorf("%s: %w", variable, err)
	}
	return shsession.NewSecret(text), nil
}

func run(ctx context.Context, variable string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, commandTime, fmt.Errorf("the command hasn't ended within %v", commandTime))
	defer cancel()
	shell := []string{"sh", "-c"}
	if runtime.GOOS == "windows" {
		shell = []string{"cmd", "/C"}
	}
	cmd := exec.CommandContext(ctx, shell[0], append(shell[1:], os.Getenv(variable))...)
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool {
		set, _, _ := strings.Cut(v, "=")
		return strings.EqualFold(set, variable)
	})
	printed := &limited{most: maxFile, cancel: cancel}
	cmd.Stdout = printed
	if term.IsTerminal(int(os.Stderr.Fd())) {
		cmd.Stderr = os.Stderr
	}
	cmd.WaitDelay = time.Second // processes of its own may have its output open
	err := cmd.Run()
	switch {
	case printed.tooLong:
		return "", fmt.Errorf("the command printed more than %d bytes", maxFile)
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil // it has ended well
	}
	if err != nil {
		err = fmt.Errorf("the command failed (%w): run it by hand to see why", err)
	}
	return printed.text.String(), err
}

// A limited buffer ends the writer of too much.
type limited struct {
	text    bytes.Buffer // not embedded: io.Copy would use its ReadFrom
	most    int
	cancel  func()
	tooLong bool
}

func (l *limited) Write(p []byte) (int, error) {
	if l.text.Len()+len(p) > l.most {
		l.tooLong = true
		l.cancel()
		return 0, errors.New("too much")
	}
	return l.text.Write(p)
}
