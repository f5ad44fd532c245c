package shm

import "iter"

// Events returns the names in inotify events.
func Events(buf []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for e := range events(buf) {
			if !yield(e.name) {
				return
			}
		}
	}
}

func ParseBeside(file string) (segment, kind, id string, ok bool) {
	b, ok := parseBeside(file)
	return b.stem, b.kind, b.id, ok
}
