// Package envsecret reads secrets that the environment holds: in a variable, in the file that the
// variable of the same name with _FILE behind it names, as containers and services are given them,
// or as what the command prints that is in the variable with _COMMAND behind its name.
package envsecret

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/shsession/shsession"
)

// maxFile bounds the file, in bytes. Secrets have some dozens.
const maxFile = 64 << 10

// A Value is a secret and where it was found.
type Value struct {
	Secret   shsession.Secret // zero if neither variable is set
	Variable string           // NAME or NAME_FILE: the variable that is set
	Path     string           // the file's, "" if the secret was in the variable
	Info     fs.FileInfo      // the file's, nil if the secret was in the variable
}

// Read returns the secret in the variable name, or in the file that name_FILE names. An empty
// variable is not set; to set both is an error. Every error names the variable, and none repeats
// the secret.
//
// The file holds one line. The line's end isn't part of the secret; any other space is. Read ignores the
// file's permissions, since the files that containers mount are of mode 0644. A pipe works too, and
// blocks until its writer closes it.
func Read(name string) (Value, error) {
	text, path := os.Getenv(name), os.Getenv(name+"_FILE")
	switch {
	case path == "":
		return Value{Secret: shsession.NewSecret(text), Variable: name}, nil
	case text != "":
		return Value{}, fmt.Errorf("%s and %[1]s_FILE are both set: unset one of them", name)
	}
	v := Value{Variable: name + "_FILE", Path: path}
	if err := v.read(); err != nil {
		return Value{}, fmt.Errorf("%s_FILE: %w", name, err)
	}
	return v, nil
}

// read reads the file.
func (v *Value) read() error {
	file, err := os.Open(v.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	if v.Info, err = file.Stat(); err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return err
	}
	if len(data) > maxFile {
		return fmt.Errorf("%s has more than %d bytes: is it the right file?", v.Path, maxFile)
	}
	text, err := oneLine(v.Path, string(data))
	v.Secret = shsession.NewSecret(text)
	return err
}

// oneLine returns the one line that a secret's text has, without its end. where is for errors.
func oneLine(where, text string) (string, error) {
	text = strings.TrimRight(text, "\r\n")
	switch {
	case text == "":
		return "", fmt.Errorf("%s is empty: it should hold the secret", where)
	case strings.ContainsAny(text, "\r\n\x00"):
		return "", fmt.Errorf("%s has more than one line: it should hold the secret alone", where)
	}
	return text, nil
}
