package dirstore

import "os"

// machineID returns what tells this machine from others that share the home directory
// (machine-id(5)).
func machineID() string {
	if id, err := os.ReadFile("/etc/machine-id"); err == nil && len(id) > 0 {
		return string(id)
	}
	host, _ := os.Hostname() // without a name, it is like all others without
	return host
}
