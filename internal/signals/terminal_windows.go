package signals

// A controlling is the process's controlling terminal. Windows has none: a program ends with its
// window.
type controlling struct{}

func openControlling() *controlling { return nil }
func (*controlling) hungUp() bool   { return false }
func (*controlling) close()         {}
