//go:build !linux && !darwin

package dirstore

import "os"

// machineID returns what tells this machine from others that share the home directory.
func machineID() string {
	host, _ := os.Hostname() // without a name, it is like all others without
	return host
}
