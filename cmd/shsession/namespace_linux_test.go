package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/testkit"
)

// In a user namespace, the overflow uid finds a token that a stranger has planted. It looks
// like its own, as strangers are shown as the overflow uid, and isn't believed.
func TestPlantedForOverflowUID(t *testing.T) {
	if os.Geteuid() != 0 {
		testkit.Missing(t, "root's right to be other users")
	}
	const overflow, stranger = 65534, 12345
	program := programForAll(t)
	name := unique()
	path := "/dev/shm/" + name
	planted := fmt.Sprintf(`{"access_token": "planted", "expires_at": %d}`, time.Now().AddDate(1, 0, 0).Unix())
	if err := os.WriteFile(path, []byte(planted), 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	for _, err := range []error{os.Chown(path, stranger, -1), os.Chmod(path, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	p := command(t, []string{"XDG_CONFIG_HOME=" + filepath.Dir(program)}, "collect", name)
	p.Path = program
	p.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: overflow, NoSetGroups: true},
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: overflow, HostID: overflow, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
	}
	p.start(t)
	code := p.exit(t)
	if code != exitFailure || p.out.String() != "" || !strings.Contains(p.err.String(), "a user that this user namespace doesn't map") {
		t.Errorf("exit code %d, %q, %q", code, p.out.String(), p.err.String())
	}
}
