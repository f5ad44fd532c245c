package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/testkit"
)

// Where another user has taken the names of this user's locks, before the command starts or
// while it is at work, the cache counts as absent: the command logs in by itself, says so
// once, and goes on renewing the token.
func TestPlantedLocks(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		testkit.Missing(t, "root's right to be other users")
	}
	for _, program := range []string{"sh", "mount", "setpriv"} {
		testkit.Need(t, program)
	}
	for name, plant := range map[string]string{
		"another user's directory": "mkdir -m 777 $LOCKS; chown 65534 $LOCKS",
		"root's directory":         "mkdir $LOCKS",
		"another user's file":      "touch $LOCKS; chown 65534 $LOCKS",
		"another user's link":      "mkdir -m 777 /dev/shm/theirs; ln -s /dev/shm/theirs $LOCKS; chown -h 65534 $LOCKS",
		"an open directory":        "mkdir $LOCKS; chown 65533 $LOCKS; chmod 777 $LOCKS",
		"no inode":                 "i=0; while (: > /dev/shm/$i) 2>/dev/null; do i=$((i+1)); done",
	} {
		t.Run(name+", from the start", func(t *testing.T) { t.Parallel(); testPlanted(t, plant, ":") })
		t.Run(name+", later", func(t *testing.T) { t.Parallel(); testPlanted(t, ":", plant) })
	}
}

// testPlanted runs the command as user 65533, in a /dev/shm of its own: root plants something
// there before the command starts, and later. In between the locks are removed.
func testPlanted(t *testing.T, early, late string) {
	service, env := startService(t)
	service.SetLifetime(4 * time.Second)
	program := programForAll(t)
	dir := filepath.Dir(program)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	p := command(t, append(env, "XDG_CONFIG_HOME="+dir, "LOCKS=/dev/shm/.shsession-65533"), "")
	p.Path = testkit.Need(t, "sh")
	p.Args = []string{"sh", "-c", "set -e; mount -t tmpfs -o mode=1777,nr_inodes=50 none /dev/shm; " + early + "; " +
		"setpriv --reuid 65533 --keep-groups " + program + " share --to header:" + dir + "/header & " +
		"read line; if [ '" + late + "' != : ]; then rm -rf $LOCKS; fi; " + late + "; echo planted; read line; kill $!; wait $!"}
	same := func(uid int) syscall.SysProcIDMap {
		return syscall.SysProcIDMap{ContainerID: uid, HostID: uid, Size: 1}
	}
	p.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:     true,
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{same(0), same(65533), same(65534)},
		GidMappings: []syscall.SysProcIDMap{same(0), same(65533), same(65534)},
	}
	input, err := p.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.start(t)
	t.Cleanup(func() { _ = syscall.Kill(-p.Process.Pid, syscall.SIGKILL) }) // it has ended, if all went well
	testkit.Eventually(t, "a token", func() bool { return strings.Contains(p.out.String(), "sharing a token") })
	if _, err := io.WriteString(input, "plant\n"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "planted", func() bool { return strings.Contains(p.out.String(), "planted") })
	logins := service.Counters().TokensIssued
	testkit.Eventually(t, "three more logins", func() bool { return service.Counters().TokensIssued >= logins+3 })
	header, err := os.ReadFile(filepath.Join(dir, "header"))
	if err != nil || !strings.HasPrefix(string(header), "Authorization: Bearer ") {
		t.Errorf("the header file has %d bytes: %v", len(header), err)
	}
	if _, err := io.WriteString(input, "end\n"); err != nil {
		t.Fatal(err)
	}
	if code := p.exit(t); code != exitOK {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
	if n := strings.Count(p.err.String(), "logging in without this machine's cache"); n != 1 {
		t.Errorf("%d warnings, want one: %s", n, p.err.String())
	}
}
