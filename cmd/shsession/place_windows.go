package main

import "os"

// checkDirectory finds out whether a directory is there.
func checkDirectory(dir string) error {
	_, err := os.Stat(dir)
	return err
}
