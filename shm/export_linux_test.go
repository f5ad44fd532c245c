package shm

// For the fuzz tests of what parses.
var Events = events

func ParseBeside(file string) (segment, kind, id string, ok bool) {
	b, ok := parseBeside(file)
	return b.stem, b.kind, b.id, ok
}
