package place

import "os"

// checkDirectory returns an error if there is no such directory.
func checkDirectory(dir string) error {
	_, err := os.Stat(dir)
	return err
}
