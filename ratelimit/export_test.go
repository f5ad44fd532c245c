package ratelimit

import (
	"testing"
)

// A Record is what a State holds, with a clock that the test sets.
type Record struct{ record record }

// Step makes a step at a time by the clock of the state's machine, in milliseconds.
func (r *Record) Step(c Change, wall float64) Answer { return r.record.apply(c, wall) }

// LockFile takes the lock of a File's file, as another process would.
func LockFile(t *testing.T, path string) (unlock func()) {
	t.Helper()
	file, err := openLocked(t.Context(), path, true)
	if err != nil {
		t.Fatal(err)
	}
	return func() { file.Close() }
}
