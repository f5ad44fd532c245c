//go:build !windows

package dirstore

// maxMapped is the size in bytes of the largest token that is shown to Python processes.
const maxMapped = maxToken

// A mapping does nothing here: Python reads these tokens only on Windows.
type mapping struct{ name string }

func checkMapping(string) error { return nil }

func (*mapping) write([]byte) error { return nil }

func (*mapping) close() {}
