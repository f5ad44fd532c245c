//go:build unix

package filesink_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
	"testing"

	"github.com/shsession/shsession/filesink"
)

func TestMode(t *testing.T) {
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)
	for _, c := range []struct {
		options filesink.Options
		want    fs.FileMode
	}{
		{filesink.Options{}, 0o600},
		{filesink.Options{Mode: 0o400}, 0o400},
		{filesink.Options{Mode: 0o640}, 0o640},
		{filesink.Options{Mode: 0o644, WorldReadable: true}, 0o644},
	} {
		s := open(t, c.options)
		publish(t, s, token(t, access(1)))
		publish(t, s, token(t, access(2)))
		info, err := os.Stat(s.Path())
		if err != nil || info.Mode() != c.want {
			t.Errorf("mode %v, %v; want %v", info.Mode(), err, c.want)
		}
	}
}

func TestGroup(t *testing.T) {
	gid := strconv.Itoa(os.Getgid())
	if os.Getuid() == 0 {
		gid = "1"
	}
	groups := []string{gid}
	if g, err := user.LookupGroupId(gid); err == nil {
		groups = append(groups, g.Name)
	}
	for _, group := range groups {
		s := open(t, filesink.Options{Mode: 0o640, Group: group, Owner: strconv.Itoa(os.Getuid())})
		publish(t, s, token(t, access(1)))
		info, err := os.Stat(s.Path())
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		if strconv.Itoa(int(st.Gid)) != gid || int(st.Uid) != os.Getuid() || info.Mode() != 0o640 {
			t.Errorf("group %s: the file has owner %d, group %d, mode %v", group, st.Uid, st.Gid, info.Mode())
		}
	}
}

func TestNamedPipeIsRefused(t *testing.T) {
	s := open(t, filesink.Options{})
	if err := syscall.Mkfifo(s.Path(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(context.Background(), token(t, access(1))); !errors.Is(err, filesink.ErrNotToken) {
		t.Errorf("got %v, want ErrNotToken", err)
	}
}
