package identity

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"github.com/shsession/shsession/internal/atomicfile"
)

const (
	keyBlock   = "PRIVATE KEY" // PKCS #8 in PEM (RFC 7468 section 10)
	maxKeyFile = 64 << 10      // bytes
)

// keyFromFile returns the key in a file, and makes the file with a new key if it is missing.
func keyFromFile(path string) (*rsa.PrivateKey, error) {
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(path); err == nil {
			key, err = readKey(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	return key, nil
}

// readKey reads a key. Its errors don't repeat what is in the file.
func readKey(path string) (*rsa.PrivateKey, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxKeyFile:
		return nil, fmt.Errorf("%s is no file that holds a key", path)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0: // there the mode says nothing
		return nil, fmt.Errorf("%s is open to other users (mode %#o): chmod 600 it, or remove it for a new key", path, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != keyBlock || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s has to hold one PEM block, %s, and nothing else", path, keyBlock)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, isRSA := parsed.(*rsa.PrivateKey)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s holds no key that can be read", path)
	case !isRSA:
		return nil, fmt.Errorf("%s holds no RSA key", path)
	}
	return key, nil
}

// makeKey writes a new key to a file that doesn't exist. If another process has made the
// file meanwhile, that one stays.
func makeKey(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, minKeyBits)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	err = atomicfile.Create(path, func(f *os.File) error {
		_, err := f.Write(pem.EncodeToMemory(&pem.Block{Type: keyBlock, Bytes: der}))
		return errors.Join(err, f.Sync())
	})
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}
