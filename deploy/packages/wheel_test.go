package packages_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// wheelTags are the platform tags in the names of the wheels, in the order in which the
// wheels are built.
var wheelTags = []struct{ system, tags string }{
	{"linux/amd64", "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64"},
	{"linux/arm64", "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64"},
	{"darwin/amd64", "macosx_12_0_x86_64"},
	{"darwin/arm64", "macosx_12_0_arm64"},
	{"windows/amd64", "win_amd64"},
	{"windows/arm64", "win_arm64"},
}

// There is a wheel for each system, and each is what its name says.
func (r release) testWheels(t *testing.T) {
	paths := strings.Fields(run(t, "go", "run", "-C", "deploy/packages", "./wheel", r.dir))
	if len(paths) != len(wheelTags) {
		t.Fatalf("%d wheels, want %d: %q", len(paths), len(wheelTags), paths)
	}
	for i, want := range wheelTags {
		t.Run(want.system, func(t *testing.T) {
			if name := "shsession-" + r.version + "-py3-none-" + want.tags + ".whl"; filepath.Base(paths[i]) != name {
				t.Errorf("the wheel is %s, want %s", paths[i], name)
			}
			r.testWheel(t, paths[i], want.system, want.tags)
		})
	}
	t.Run("installed", func(t *testing.T) {
		need(t, "python3")
		r.installWheel(t, paths[slices.IndexFunc(wheelTags, func(w struct{ system, tags string }) bool {
			return w.system == "linux/"+runtime.GOARCH
		})])
	})
}

// testWheel checks the wheel of one system, whose program can't be run here.
func (r release) testWheel(t *testing.T, path, system, tags string) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files, err := unzip(data)
	if err != nil {
		t.Fatal(err)
	}
	info := "shsession-" + r.version + ".dist-info/"
	script := "shsession-" + r.version + ".data/scripts/shsession"
	if strings.HasPrefix(system, "windows/") {
		script += ".exe"
	}
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{script, info + "METADATA", info + "RECORD", info + "WHEEL", info + "licenses/LICENSE"}; !slices.Equal(names, want) {
		t.Fatalf("in the wheel are %q, want %q", names, want)
	}
	checkProgram(t, system, files[script].data)
	if mode := files[script].mode; mode != 0o755 {
		t.Errorf("the program has the mode %v", mode)
	}
	checkRecord(t, files, info+"RECORD")
	license, err := os.ReadFile("LICENSE")
	if err != nil || string(files[info+"licenses/LICENSE"].data) != string(license) {
		t.Errorf("the licence isn't the project's: %v", err)
	}
	head, _, _ := strings.Cut(string(files[info+"METADATA"].data), "\n\n")
	for _, want := range []string{"Name: shsession", "Version: " + r.version, "License-Expression: Apache-2.0", "License-File: LICENSE"} {
		if !slices.Contains(strings.Split(head, "\n"), want) {
			t.Errorf("no %q in the metadata:\n%s", want, head)
		}
	}
	for tag := range strings.SplitSeq(tags, ".") {
		if want := "\nTag: py3-none-" + tag + "\n"; !strings.Contains(string(files[info+"WHEEL"].data), want) {
			t.Errorf("no %q in WHEEL", want)
		}
	}
	if strings.HasPrefix(system, "darwin/") {
		major, minor, err := leastMacOS(files[script].data)
		if want := fmt.Sprintf("macosx_%d_%d_", major, minor); err != nil || !strings.HasPrefix(tags, want) {
			t.Errorf("the program needs macOS %d.%d, %v, and the tag is %s", major, minor, err, tags)
		}
	}
}

// checkRecord checks that the record names every file once, with its hash and its size, and
// itself without.
func checkRecord(t *testing.T, files map[string]packed, record string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(string(files[record].data))).ReadAll()
	if err != nil || len(lines) != len(files) {
		t.Errorf("%d lines in the record of %d files, %v", len(lines), len(files), err)
	}
	for _, line := range lines {
		name := line[0]
		want := []string{name, "", ""}
		if name != record {
			sum := sha256.Sum256(files[name].data)
			want = []string{name, "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]), strconv.Itoa(len(files[name].data))}
		}
		if _, there := files[name]; !there || !slices.Equal(line, want) {
			t.Errorf("the record says %q, want %q, of a file that is there: %v", line, want, there)
		}
	}
}

// The wheel of this system puts the command on the PATH of a new virtual environment, by its
// file alone.
func (r release) installWheel(t *testing.T, path string) {
	venv := filepath.Join(t.TempDir(), "venv")
	run(t, "python3", "-m", "venv", venv)
	run(t, venv+"/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", path)
	command := venv + "/bin/shsession"
	if said := run(t, command, "version"); !strings.HasPrefix(said, "shsession "+r.version+" (") {
		t.Errorf("it says %q", said)
	}
	same, err := os.ReadFile(command)
	built, builtErr := os.ReadFile(r.program)
	if err != nil || builtErr != nil || string(same) != string(built) {
		t.Errorf("it isn't the program of the other packages: %v, %v", err, builtErr)
	}
	about := run(t, venv+"/bin/python", "-c", `from importlib.metadata import metadata
m = metadata("shsession")
print(m["Version"], m["License-Expression"], m["License-File"])`)
	if want := r.version + " Apache-2.0 LICENSE\n"; about != want {
		t.Errorf("its metadata says %q, want %q", about, want)
	}
	run(t, venv+"/bin/python", "-m", "pip", "uninstall", "--quiet", "--disable-pip-version-check", "--yes", "shsession")
	if _, err := os.Stat(command); err == nil {
		t.Error("it is there after it was uninstalled")
	}
}
