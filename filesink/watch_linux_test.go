package filesink_test

import (
	"os"
	"testing"
	"time"

	"github.com/shsession/shsession/filesink"
)

// Of a hundred deletions, at least 99 are mended before another program has even started.
func TestPutBackBeforeTheNextRequest(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Header, Mode: 0o400})
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	late := 0
	for n := range 100 {
		if err := os.Remove(s.Path()); err != nil {
			t.Fatal(err)
		}
		if !within(5*time.Millisecond, func() bool { return exists(s.Path()) }) {
			late++
		}
		eventually(t, "put back", func() bool { return w.Restored() == uint64(n+1) })
		if info, err := os.Stat(s.Path()); err != nil || info.Mode() != 0o400 {
			t.Fatalf("put back with mode %v, %v", info, err)
		}
	}
	if late > 1 {
		t.Errorf("%d of 100 took more than 5 ms", late)
	}
	onlyFiles(t, s, "token")
}
