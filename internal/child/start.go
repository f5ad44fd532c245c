package child

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// start starts the command. If it can't be, the error comes with an exit code.
func (c Command) start(attr *syscall.SysProcAttr) (*exec.Cmd, int, error) {
	cmd := c.prepare(attr, c.Args[0], c.Args[1:])
	if errors.Is(cmd.Err, exec.ErrDot) && runtime.GOOS != "windows" {
		cmd.Err = nil // PATH leads here because the user has put it there; Windows always looks here
	}
	err := cmd.Start()
	if errors.Is(err, syscall.ENOEXEC) && isScript(cmd.Path) {
		cmd = c.prepare(attr, "/bin/sh", append([]string{operand(cmd.Path)}, c.Args[1:]...))
		err = cmd.Start()
	}
	if err != nil {
		code, err := notStarted(c.Args[0], err)
		return nil, code, err
	}
	return cmd, 0, nil
}

// prepare returns the command with a name and arguments in place of its own.
func (c Command) prepare(attr *syscall.SysProcAttr, name string, args []string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = c.Env
	cmd.SysProcAttr = attr
	if c.Stdin != nil { // a nil *os.File in an interface would not be nil
		cmd.Stdin = c.Stdin
	}
	if c.Stdout != nil {
		cmd.Stdout = c.Stdout
	}
	if c.Stderr != nil {
		cmd.Stderr = c.Stderr
	}
	return cmd
}

// isScript reports whether a file that the kernel doesn't know how to execute may be a script for
// the shell: as shells tell, no NUL is in its first line. Another machine's program has one.
func isScript(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 256)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false
	}
	line, _, _ := bytes.Cut(head[:n], []byte("\n"))
	return !bytes.Contains(line, []byte{0})
}

// operand returns a path that the shell takes for one, and not for an option.
func operand(path string) string {
	if strings.HasPrefix(path, "-") {
		return "./" + path
	}
	return path
}
