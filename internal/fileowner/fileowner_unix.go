//go:build unix

package fileowner

import (
	"io/fs"
	"os"
	"syscall"
)

// Of returns who a uid is, as stat(2) or SO_PEERCRED tell it.
func Of(uid uint32) Owner {
	switch {
	case isOverflow(uid):
		return Unknown
	case int(uid) == os.Geteuid():
		return Self
	case uid == 0:
		return Root
	}
	return Other
}

// OfFile returns whose a file is, of which info tells.
func OfFile(info fs.FileInfo) Owner { return Of(info.Sys().(*syscall.Stat_t).Uid) }
