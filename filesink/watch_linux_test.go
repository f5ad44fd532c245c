package filesink_test

import (
	"os"
	"testing"

	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/internal/testkit"
)

// However often the file is deleted, it is put back, as it was. (That this is before the next request, real
// programs tell: see interop.)
func TestPutBackAgainAndAgain(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Header, Mode: 0o400})
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	for n := range 100 {
		if err := os.Remove(s.Path()); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "put back", func() bool { return w.Restored() == uint64(n+1) })
		if info, err := os.Stat(s.Path()); err != nil || info.Mode() != 0o400 {
			t.Fatalf("put back with mode %v, %v", info, err)
		}
	}
	onlyFiles(t, s, "token")
}
