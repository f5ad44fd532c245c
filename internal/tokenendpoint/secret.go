package tokenendpoint

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/atomicfile"
	"github.com/shsession/shsession/internal/fileowner"
)

// secretBytes is how much of a placeholder is random.
const secretBytes = 32

// NewSecret returns a placeholder: 256 random bits as text that is the same before and after
// percent-encoding.
func NewSecret() shsession.Secret {
	var b [secretBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return shsession.NewSecret(base64.RawURLEncoding.EncodeToString(b[:]))
}

// SecretFile returns the placeholder in the file at path. It makes a missing file, of mode 0600,
// with a new placeholder. Several processes that do so at once all get the same placeholder.
//
// It is an error if another user owns the file, or can read or write it, or if the file doesn't
// hold a placeholder. The error doesn't repeat the text.
func SecretFile(path string) (shsession.Secret, error) {
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := writeSecret(path, NewSecret()); err != nil && !errors.Is(err, fs.ErrExist) {
		return shsession.Secret{}, fmt.Errorf("make the file of the endpoint's secret: %w", err)
	}
	return readSecret(path)
}

func readSecret(path string) (shsession.Secret, error) {
	info, err := os.Stat(path) // before a named pipe is opened, which waits for a writer
	if err != nil {
		return shsession.Secret{}, fmt.Errorf("read the endpoint's secret: %w", err)
	}
	if !info.Mode().IsRegular() {
		return shsession.Secret{}, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := atomicfile.Open(path)
	if err != nil {
		return shsession.Secret{}, fmt.Errorf("read the endpoint's secret: %w", err)
	}
	defer f.Close()
	if err := checkPrivate(f); err != nil {
		return shsession.Secret{}, err
	}
	want := base64.RawURLEncoding.EncodedLen(secretBytes)
	data, err := io.ReadAll(io.LimitReader(f, int64(want)+3)) // a line's end, and a byte too many
	if err != nil {
		return shsession.Secret{}, fmt.Errorf("read the endpoint's secret: %w", err)
	}
	text := strings.TrimRight(string(data), "\r\n")
	if decoded, err := base64.RawURLEncoding.DecodeString(text); err != nil || len(decoded) != secretBytes {
		return shsession.Secret{}, fmt.Errorf("%s isn't the file of an endpoint's secret: it should hold %d random characters, and is made if it is missing", path, want)
	}
	return shsession.NewSecret(text), nil
}

// checkPrivate returns an error if other users know, or can read, the content of a file.
func checkPrivate(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read the endpoint's secret: %w", err)
	}
	owner := fileowner.OfFile(info)
	switch {
	case !owner.Trusted():
		return fmt.Errorf("%s holds a secret and belongs to %v, who knows it then", f.Name(), owner)
	case info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows":
		return fmt.Errorf("%s holds a secret and is open to other users (mode %04o): chmod 600 %[1]s", f.Name(), info.Mode().Perm())
	}
	return nil
}

// writeSecret makes the complete file, with the secret and without a line's end, so that a program
// can send the content unchanged. The error wraps fs.ErrExist if another process has made the file.
func writeSecret(path string, secret shsession.Secret) error {
	return atomicfile.Create(path, func(f *os.File) error {
		_, err := f.WriteString(secret.Reveal())
		return errors.Join(err, f.Sync())
	})
}
