package filesink

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/shsession/shsession"
)

// maxContent is the size of the largest file that is read. The other formats
// are smaller than the JSON, but for the few bytes of a header's name.
const maxContent = shsession.MaxTokenSize + 64

const headerPrefix = "Authorization: Bearer "

// content returns what the file holds when it holds t.
func (f Format) content(t shsession.Token) []byte {
	switch f {
	case Raw:
		return []byte(t.AccessToken())
	case Header:
		return []byte(headerPrefix + t.AccessToken() + "\n")
	}
	return append(t.Encode(), '\n')
}

// holds reports whether the file holds t. The error wraps fs.ErrNotExist if there is none.
func (s *Sink) holds(t shsession.Token) (bool, error) {
	data, err := readFile(s.path)
	if err != nil {
		return false, err
	}
	return bytes.Equal(data, s.opts.Format.content(t)), nil
}

// readFile reads a regular file of a size that a token's file can have.
func readFile(path string) ([]byte, error) {
	for {
		info, err := os.Lstat(path)
		if err != nil {
			return nil, err
		}
		if err := checkRegular(path, info); err != nil {
			return nil, err
		}
		if data, ok, err := readSame(path, info); ok || err != nil {
			return data, err
		}
	}
}

// readSame reads the file at path. It reports false if that is no longer the one in info.
func readSame(path string, info fs.FileInfo) (data []byte, ok bool, err error) {
	f, err := openFile(path)
	if err != nil {
		return nil, false, err
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil || !os.SameFile(info, opened) {
		return nil, false, err
	}
	data, err = io.ReadAll(io.LimitReader(f, maxContent+1))
	return data, err == nil, err
}

// checkRegular returns an error unless info is of a file that can be a token's.
func checkRegular(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%s is a directory: name a file in it: %w", path, ErrNotToken)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link: name the file that it leads to: %w", path, ErrNotToken)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: %w", path, ErrNotToken)
	case info.Size() > maxContent:
		return fmt.Errorf("%s is %d bytes long, more than a token: %w", path, info.Size(), ErrNotToken)
	}
	return nil
}

// isContent reports whether data may be a file's content in this format, or is empty.
func (f Format) isContent(data []byte) bool {
	if len(bytes.TrimSpace(data)) == 0 {
		return true
	}
	if f == JSON {
		_, err := shsession.ParseToken(data)
		return err == nil
	}
	text, isHeader := strings.CutPrefix(strings.TrimRight(string(data), "\r\n"), headerPrefix)
	if f == Header != isHeader || f == Raw && len(text) < minOpaque {
		return false
	}
	return !strings.ContainsFunc(text, func(c rune) bool { return !isTokenChar(c) })
}

// minOpaque is the length of the shortest text that alone is taken for an access token.
const minOpaque = 16

// isTokenChar reports whether c can be in a bearer token (RFC 6750 section 2.1, b64token).
func isTokenChar(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-._~+/=", c)
}
