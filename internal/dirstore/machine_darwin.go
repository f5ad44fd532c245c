package dirstore

import (
	"os"

	"golang.org/x/sys/unix"
)

// machineID returns what tells this machine from others that share the home directory. The
// name of a Mac changes with its network.
func machineID() string {
	if id, err := unix.Sysctl("kern.uuid"); err == nil {
		return id
	}
	host, _ := os.Hostname() // without a name, it is like all others without
	return host
}
