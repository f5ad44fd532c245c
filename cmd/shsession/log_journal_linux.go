package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// isJournal reports whether out leads to systemd's journal: JOURNAL_STREAM names the file that does, and
// is inherited by many a process whose output goes elsewhere (systemd.exec(5)).
func isJournal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}
