package filesink

import (
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
)

// OpenURL is [ParseURL] and then [Open].
func OpenURL(text string) (*Sink, error) {
	path, o, err := ParseURL(text)
	if err != nil {
		return nil, err
	}
	return Open(path, o)
}

// ParseURL reads a sink that is written as text:
//
//	file:PATH         token-file:PATH         header:PATH
//
// and after it, optionally, a question mark and any of
//
//	mode=0640         permissions in octal
//	group=gis         by name or number; owner=NAME likewise
//	keep=1            leave the file in place in the end, if its token is still valid
//	world-readable=1  permit a mode that lets every user read the token
//
// with ampersands between them. Any other option is an error. PATH may be relative. In PATH,
// percent signs and question marks are written %25 and %3F.
func ParseURL(text string) (path string, o Options, err error) {
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok {
		return "", o, fmt.Errorf("%q has no scheme: write file:PATH, token-file:PATH or header:PATH", text)
	}
	if o.Format, err = parseFormat(scheme); err != nil {
		return "", o, err
	}
	escaped, query, _ := strings.Cut(rest, "?")
	if path, err = url.PathUnescape(escaped); err != nil {
		return "", o, fmt.Errorf("the path in %q: %w (a percent sign is written %%25)", text, err)
	}
	if err := checkPath(path); err != nil {
		return "", o, fmt.Errorf("%q: %w", text, err)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", o, fmt.Errorf("%q: %w", text, err)
	}
	for key, value := range values {
		if len(value) != 1 {
			return "", o, fmt.Errorf("%q says %s more than once", text, key)
		}
		if err := o.set(key, value[0]); err != nil {
			return "", o, fmt.Errorf("%q: %w", text, err)
		}
	}
	return path, o, nil
}

func parseFormat(scheme string) (Format, error) {
	for f := JSON; f <= Header; f++ {
		if f.String() == scheme {
			return f, nil
		}
	}
	return 0, fmt.Errorf("%q is none of file, token-file and header", scheme)
}

// checkPath refuses paths that are probably a mistake.
func checkPath(path string) error {
	switch {
	case path == "":
		return fmt.Errorf("there is no path")
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("there is a NUL byte in the path")
	case strings.HasPrefix(path, "//") && !strings.HasPrefix(path, "///"):
		return fmt.Errorf("it names a host: write one slash or three")
	case strings.HasPrefix(path, "~"):
		return fmt.Errorf("the shell doesn't replace a ~ there: write $HOME, or ./~ if that is the name")
	}
	return nil
}

// set sets one option from its text.
func (o *Options) set(key, value string) (err error) {
	switch key {
	case "mode":
		var mode uint64
		mode, err = strconv.ParseUint(value, 8, 12)
		o.Mode = fs.FileMode(mode)
		if err == nil && mode == 0 {
			err = fmt.Errorf("no user could read the file")
		}
	case "owner":
		o.Owner, err = nonEmpty(value)
	case "group":
		o.Group, err = nonEmpty(value)
	case "keep":
		o.Keep, err = strconv.ParseBool(value)
	case "world-readable":
		o.WorldReadable, err = strconv.ParseBool(value)
	default:
		return fmt.Errorf("%q is none of mode, owner, group, keep and world-readable", key)
	}
	if err != nil {
		return fmt.Errorf("%s=%s: %w", key, value, err)
	}
	return nil
}

func nonEmpty(value string) (string, error) {
	if value == "" {
		return "", fmt.Errorf("a name or a number is missing")
	}
	return value, nil
}
