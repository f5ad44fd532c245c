package shconfig

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
)

// Path returns the path of config.toml, which may be missing: sentinelhub/config.toml
// in $XDG_CONFIG_HOME, else in ~/.config, on every operating system, as in the Python
// package (SHConfig.get_config_location).
//
// An XDG_CONFIG_HOME that is empty or relative counts as unset, as the XDG Base
// Directory Specification demands. The Python package takes it relative to the
// working directory, which may hold another user's config.toml.
//
// It fails if there is no XDG_CONFIG_HOME and the home directory is not known.
func Path() (string, error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home, err := homeDir()
		if err != nil {
			return "", fmt.Errorf("find config.toml: set HOME or XDG_CONFIG_HOME: %w", err)
		}
		dir = filepath.Join(home, ".config")
	}
	return filepath.Join(dir, "sentinelhub", "config.toml"), nil
}

// homeDir asks the user database where the environment has no home directory,
// as Python's expanduser does.
func homeDir() (string, error) {
	home, err := os.UserHomeDir()
	if err == nil {
		return home, nil
	}
	if u, lookupErr := user.Current(); lookupErr == nil && u.HomeDir != "" {
		return u.HomeDir, nil
	}
	return "", err
}
