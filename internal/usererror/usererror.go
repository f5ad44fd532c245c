// Package usererror makes errors for the user of the command: mistakes on the command line, and
// hints that say what to do about an error.
package usererror

import (
	"errors"
	"io/fs"
	"net"

	"github.com/shsession/shsession"
)

// A mistake is an error in how the command was used.
type mistake struct{ error }

func (m *mistake) Unwrap() error { return m.error }

// Mistake returns err as a mistake on the command line. nil stays nil.
func Mistake(err error) error {
	if err == nil {
		return nil
	}
	return &mistake{err}
}

// IsMistake reports whether err is, or wraps, a mistake on the command line.
func IsMistake(err error) bool {
	var m *mistake
	return errors.As(err, &m)
}

// OfUse returns err as a mistake in the use of a command, such as "shsession login", with a hint at
// the command's help.
func OfUse(command string, err error) error {
	return WithHint(Mistake(err), "see `"+command+" --help`")
}

// OfArgument returns the error of opening what an argument names: a mistake on the command line,
// unless the error is of a file, of this system, or of missing credentials.
func OfArgument(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) || errors.Is(err, errors.ErrUnsupported) || errors.Is(err, shsession.ErrNoCredentials) {
		return err
	}
	return Mistake(err)
}

// OfAddress returns the error of listening on an address: a mistake on the command line if the
// address is malformed.
func OfAddress(err error) error {
	var address *net.AddrError
	if errors.As(err, &address) {
		return Mistake(err)
	}
	return err
}
