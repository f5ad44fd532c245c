//go:build unix && !linux

package fileowner

// isOverflow reports whether several users may be shown as uid. Without user namespaces,
// each uid is one user's.
func isOverflow(uint32) bool { return false }
