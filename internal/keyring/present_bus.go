//go:build unix && !darwin

package keyring

import (
	"errors"
	"fmt"
	"os"
)

// present returns an error where there is no session bus, on which a keyring would answer. The
// library would start a bus there, on which nothing answers and which nobody ends.
func present() error {
	if os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	for _, name := range []string{"bus", "dbus-session"} {
		if _, err := os.Stat(fmt.Sprintf("/run/user/%d/%s", os.Getuid(), name)); err == nil {
			return nil
		}
	}
	return errors.New("there is no D-Bus session (DBUS_SESSION_BUS_ADDRESS isn't set)")
}
