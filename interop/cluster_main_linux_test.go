package interop_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

func TestMain(m *testing.M) {
	if os.Getenv(workerStoreEnv) != "" { // this process is one of the many of a test
		os.Exit(work())
	}
	testkit.SetParallel("8")
	redisstore.LogClient(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
