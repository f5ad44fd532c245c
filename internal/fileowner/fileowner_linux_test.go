package fileowner_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/shsession/shsession/internal/fileowner"
	"github.com/shsession/shsession/internal/testkit"
)

// fileEnv names the file of which this test binary, as another process, tells the owner.
const fileEnv = "FILEOWNER_TEST_FILE"

func TestMain(m *testing.M) {
	if path := os.Getenv(fileEnv); path != "" {
		var st syscall.Stat_t
		if err := syscall.Stat(path, &st); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		owner := fileowner.Of(st.Uid)
		fmt.Println(st.Uid, owner, owner.Trusted())
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestIsIdentity(t *testing.T) {
	for name, tt := range map[string]struct {
		uidMap string
		want   bool
	}{
		"the first namespace":    {"         0          0 4294967295\n", true},
		"in two ranges":          {"0 0 65534\n65534 65534 4294901761\n", true},
		"root alone":             {"         0       1000          1\n", false},
		"a rootless container":   {"0 1000 1\n1 100000 65536\n", false},
		"all but the last user":  {"0 0 4294967294\n", false},
		"a part, unshifted":      {"0 0 65536\n", false},
		"only the overflow uid":  {"65534 65534 1\n", false},
		"shifted":                {"0 1 4294967295\n", false},
		"not written yet":        {"", false},
		"not a map":              {"zero zero all\n", false},
		"a line too short":       {"0 0\n", false},
		"a line too long":        {"0 0 4294967295 5 6 1\n", false},
		"a number with a letter": {"0 0 4294967295A\n", false},
		"a number too large":     {"0 0 4294967296\n", false},
	} {
		if got := fileowner.IsIdentity(tt.uidMap); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func FuzzIsIdentity(f *testing.F) {
	f.Add("0 0 4294967295\n")
	f.Add("0 1000 1\n1 100000 65536\n")
	f.Fuzz(func(t *testing.T, uidMap string) {
		if fileowner.IsIdentity(uidMap) && fileowner.IsIdentity(uidMap+"5 6 1\n") {
			t.Errorf("%q with a shifted range is the identity", uidMap)
		}
	})
}

// TestOf runs this program as several users and has it tell the owner of a file.
func TestOf(t *testing.T) {
	if os.Geteuid() != 0 {
		testkit.Missing(t, "root's right to be other users and to write any uid map")
	}
	overflow := 65534
	if text, err := os.ReadFile("/proc/sys/kernel/overflowuid"); err == nil {
		fmt.Sscan(string(text), &overflow)
	}
	mapping := func(inside, outside int) []syscall.SysProcIDMap {
		return []syscall.SysProcIDMap{{ContainerID: inside, HostID: outside, Size: 1}}
	}
	program := copySelf(t)
	for name, tt := range map[string]struct {
		owner  int                    // of the file, seen from here
		self   int                    // the process's user, as it sees itself
		uidMap []syscall.SysProcIDMap // of its user namespace, nil for this one
		want   string
	}{
		"its own":                             {12345, 12345, nil, "12345 this user true"},
		"another user's":                      {12346, 12345, nil, "12346 another user false"},
		"root's":                              {0, 12345, nil, "0 root true"},
		"the overflow uid's own, all mapped":  {overflow, overflow, nil, "OVERFLOW this user true"},
		"root's own":                          {0, 0, nil, "0 this user true"},
		"in a namespace, its own":             {12345, 0, mapping(0, 12345), "0 this user true"},
		"in a namespace, unmapped":            {12346, 0, mapping(0, 12345), "OVERFLOW UNKNOWN false"},
		"in a namespace, unmapped root":       {0, 1000, mapping(1000, 12345), "OVERFLOW UNKNOWN false"},
		"the overflow uid in one, unmapped":   {12346, overflow, mapping(overflow, 12345), "OVERFLOW UNKNOWN false"},
		"the overflow uid in one, its own":    {12345, overflow, mapping(overflow, 12345), "OVERFLOW UNKNOWN false"},
		"the overflow uid in one, unshifted":  {12346, overflow, mapping(overflow, overflow), "OVERFLOW UNKNOWN false"},
		"the overflow uid in one, root's own": {0, overflow, mapping(overflow, 0), "OVERFLOW UNKNOWN false"},
	} {
		t.Run(name, func(t *testing.T) {
			want := strings.NewReplacer("OVERFLOW", fmt.Sprint(overflow), "UNKNOWN", fileowner.Unknown.String()).Replace(tt.want)
			cmd := exec.Command(program)
			cmd.Env = append(os.Environ(), fileEnv+"="+ownedBy(t, filepath.Dir(program), tt.owner))
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(tt.self), NoSetGroups: true}}
			if tt.uidMap != nil {
				cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
				cmd.SysProcAttr.UidMappings = tt.uidMap
				cmd.SysProcAttr.GidMappings = mapping(0, 0)
			}
			out, err := cmd.CombinedOutput()
			if tt.uidMap != nil && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC)) {
				testkit.Missing(t, "the right to make a user namespace")
			}
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if got := strings.TrimSpace(string(out)); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
}

// copySelf returns a copy of this program that every user may run.
func copySelf(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fileowner") // t.TempDir's parent is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "program")
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// ownedBy returns the path of a file in dir of that user's.
func ownedBy(t *testing.T, dir string, uid int) string {
	t.Helper()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, uid, -1); err != nil {
		t.Fatal(err)
	}
	return path
}
