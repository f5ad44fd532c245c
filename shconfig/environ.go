package shconfig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/shsession/shsession"
)

// maxSecretFile bounds a secret file, in bytes. Client secrets have some dozens.
const maxSecretFile = 64 << 10

// environment reads the SH_* variables. With wantSecret false it leaves out the
// secret, so that a secret file that is not needed is not opened.
func environment(wantSecret bool) (s Settings, source func(Key) string, warnings []string, err error) {
	s = Settings{
		ClientID: os.Getenv("SH_CLIENT_ID"),
		BaseURL:  os.Getenv("SH_BASE_URL"),
		TokenURL: os.Getenv("SH_TOKEN_URL"),
	}
	names := map[Key]string{
		ClientID:     "SH_CLIENT_ID",
		ClientSecret: "SH_CLIENT_SECRET",
		BaseURL:      "SH_BASE_URL",
		TokenURL:     "SH_TOKEN_URL",
	}
	source = func(k Key) string { return names[k] }
	if !wantSecret {
		return s, source, nil, nil
	}
	s.ClientSecret = shsession.NewSecret(os.Getenv("SH_CLIENT_SECRET"))
	file := os.Getenv("SH_CLIENT_SECRET_FILE")
	if file == "" {
		return s, source, nil, nil
	}
	if !s.ClientSecret.IsZero() {
		return s, source, nil, errors.New("SH_CLIENT_SECRET and SH_CLIENT_SECRET_FILE are both set: unset one of them")
	}
	names[ClientSecret] = "SH_CLIENT_SECRET_FILE"
	s.ClientSecret, warnings, err = readSecret(file)
	if err != nil {
		err = fmt.Errorf("SH_CLIENT_SECRET_FILE: %w", err)
	}
	return s, source, warnings, err
}

// readSecret reads a secret from a file of one line. Line ends after it are not
// part of it; any other space is. A file that others can read is only warned
// about: those that containers mount are of mode 0644, behind symbolic links.
// A pipe will do, and blocks until its writer closes it.
func readSecret(path string) (shsession.Secret, []string, error) {
	data, info, err := readLimited(path, maxSecretFile)
	if err != nil {
		return shsession.Secret{}, nil, err
	}
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return shsession.Secret{}, nil, fmt.Errorf("%s is empty: it should hold the client secret", path)
	}
	if bytes.ContainsAny(data[:len(text)], "\r\n\x00") {
		return shsession.Secret{}, nil, fmt.Errorf("%s has more than one line: it should hold the client secret alone", path)
	}
	var warnings []string
	if openToOthers(info) {
		warnings = []string{openWarning(path, info)}
	}
	return shsession.NewSecret(text), warnings, nil
}
