//go:build !unix

package shconfig

import (
	"io/fs"
	"os"
)

// Where mode bits do not say who may do what, files take after their directory.

func openToOthers(fs.FileInfo) bool { return false }

func inherit(*os.File, fs.FileInfo) error { return nil }

func syncDir(string) error { return nil }
