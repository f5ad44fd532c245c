package logs

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// isJournal reports whether out leads to systemd's journal. JOURNAL_STREAM names the journal's
// file by device and inode. Processes whose output goes elsewhere inherit the variable too
// (systemd.exec(5)), so the file of out is compared.
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
