package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// A rig is what the benchmarks of one process have in common. It is made before they run and
// taken down after, and what costs time is made when it is first asked for.
type rig struct {
	dir    string // for programs and homes, removed at the end
	python *pythonProcess
	built  map[string]func() (string, error)

	skipped []string // which benchmarks are, and why
}

// theRig is a package variable because go test gives a benchmark nothing but its b. It is set by TestMain, before any benchmark runs, and not changed after.
var theRig *rig

// dirVariable names a directory of the report's, so that its many runs build the programs once.
const dirVariable = "SHSESSION_BENCH_DIR"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" { // this process is one of the many of a benchmark
		os.Exit(play(role))
	}
	// A file of certificates is read whole by whoever makes an HTTP client; nothing here speaks TLS.
	for _, variable := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		os.Unsetenv(variable)
	}
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	dir := os.Getenv(dirVariable)
	if dir == "" {
		temp, err := os.MkdirTemp("", "shsession-bench-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(temp)
		dir = temp
	}
	theRig = &rig{dir: dir, python: &pythonProcess{home: dir}, built: map[string]func() (string, error){}}
	for name, source := range map[string]string{
		"shsession": "..", // in that module, with its own versions
		"hello":     ".",
		"reverse":   ".",
	} {
		pkg := "./" + name
		if name == "shsession" {
			pkg = "./cmd/shsession"
		}
		theRig.built[name] = sync.OnceValues(func() (string, error) { return build(dir, name, source, pkg) })
	}
	defer theRig.python.stop()
	code := m.Run()
	if theRig.python.version != "" {
		fmt.Println("version: sentinelhub", theRig.python.version)
	}
	for _, line := range theRig.skipped { // which go test doesn't show of a benchmark
		fmt.Println("skipped:", line)
	}
	return code
}

// skip ends a benchmark whose peer is absent, and remembers why.
func (r *rig) skip(b *testing.B, reason string) {
	b.Helper()
	if line := b.Name() + ": " + reason; !slices.Contains(r.skipped, line) {
		r.skipped = append(r.skipped, line)
	}
	b.Skip(reason)
}

// build builds a static program, unless an earlier run of the same report has.
func build(dir, name, module, pkg string) (string, error) {
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	cmd := exec.Command("go", "build", "-trimpath", "-o", path, pkg)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return path, nil
}

// program returns the path of one of our programs.
func program(b *testing.B, name string) string {
	b.Helper()
	path, err := theRig.built[name]()
	if err != nil {
		b.Fatal(err)
	}
	return path
}
