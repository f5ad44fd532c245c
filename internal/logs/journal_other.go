//go:build !linux

package logs

import "io"

// isJournal reports whether out leads to systemd's journal, which only Linux has.
func isJournal(io.Writer) bool { return false }
