package needtest_test

import (
	"path/filepath"
	"runtime"
	"testing"

	"github.com/shsession/shsession/internal/needtest"
)

// A verdict is a test that remembers how it was ended.
type verdict struct {
	testing.TB
	how string
}

func (v *verdict) Helper() {}

func (v *verdict) Fatalf(string, ...any) { v.end("failed") }

func (v *verdict) Skipf(string, ...any) { v.end("skipped") }

func (v *verdict) end(how string) {
	v.how = how
	runtime.Goexit()
}

// try returns how a test that needs a program ends, "" if it has it.
func try(program string) (how, path string) {
	v := &verdict{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = needtest.Program(v, program)
	}()
	<-done
	return v.how, path
}

func TestProgram(t *testing.T) {
	if how, path := try("go"); how != "" || filepath.Base(path) != "go" && filepath.Base(path) != "go.exe" {
		t.Errorf("go is at %q, and the test %s", path, how)
	}
	for setting, want := range map[string]string{"": "skipped", "wanted": "skipped", "required": "failed"} {
		t.Setenv("SHSESSION_INTEROP", setting)
		if how, _ := try("no-such-program"); how != want {
			t.Errorf("SHSESSION_INTEROP=%s: the test is %s, want %s", setting, how, want)
		}
	}
}
