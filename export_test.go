package shsession

// For tests of what parses.
var (
	ParseRetryAfter = parseRetryAfter
	ScanObject      = scanObject
)
