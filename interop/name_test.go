package interop_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// ownName is a segment that nobody else has.
func ownName(t *testing.T) string {
	return fmt.Sprintf("shsession-interop-%d-%s", os.Getpid(), strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()))
}
