package shconfig

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnknownPreset is returned for a preset that [Preset] does not know.
var ErrUnknownPreset = errors.New("unknown preset")

// UnknownProfileError says that the file doesn't have the profile that was asked for.
type UnknownProfileError struct {
	File    string   // the path of the file, which may be missing
	Profile string   // the name asked for
	Have    []string // the profiles in the file, sorted
	Nearest string   // the name in Have that was probably meant, or ""
}

func (e *UnknownProfileError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "profile %q is not in %s", e.Profile, e.File)
	if len(e.Have) == 0 {
		b.WriteString(", which has no profiles")
	} else {
		fmt.Fprintf(&b, ", which has %s", quoted(e.Have))
	}
	if e.Nearest != "" {
		fmt.Fprintf(&b, "; did you mean %q?", e.Nearest)
	}
	return b.String()
}

// ValueError says that a setting has a value that cannot be used. It does not
// hold the value, which may be a secret.
type ValueError struct {
	File    string // "" if the value did not come from a file
	Profile string
	Key     Key    // "" if the error is about the whole profile
	Want    string // the kind of value that is needed, such as "a string"
	Got     string // the kind of value that was found, such as "an integer"
}

func (e *ValueError) Error() string {
	where := fmt.Sprintf("profile %q", e.Profile)
	if e.File != "" {
		where = e.File + ": " + where
	}
	if e.Key != "" {
		where += ": " + string(e.Key)
	}
	return fmt.Sprintf("%s: want %s, got %s", where, e.Want, e.Got)
}

// SyntaxError says where a file is not TOML. It quotes at most one character of
// the file, which may hold secrets.
type SyntaxError struct {
	File   string
	Line   int // from 1; 0 if unknown
	Column int // from 1; 0 if unknown
	Reason string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: not valid TOML: %s", e.File, e.Reason)
	}
	return fmt.Sprintf("%s:%d:%d: not valid TOML: %s", e.File, e.Line, e.Column, e.Reason)
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}
