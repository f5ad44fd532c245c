//go:build unix

package shconfig_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/shsession/shsession/shconfig"
)

func TestSaveKeepsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: only root can give a file away")
	}
	path := isolate(t)
	write(t, path, "[a]\n")
	if err := os.Chown(path, 12345, 54321); err != nil {
		t.Fatal(err)
	}
	f := open(t, "")
	set(t, f, "b", shconfig.Settings{})
	save(t, f)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	mustEqual(t, "uid", owner.Uid, uint32(12345))
	mustEqual(t, "gid", owner.Gid, uint32(54321))
}
