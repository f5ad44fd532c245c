package testkit_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// A missingVerdict is a test that remembers how it was ended.
type missingVerdict struct {
	testing.TB
	how string
}

func (v *missingVerdict) Helper() {}

func (v *missingVerdict) Fatalf(string, ...any) { v.end("failed") }

func (v *missingVerdict) Skipf(string, ...any) { v.end("skipped") }

func (v *missingVerdict) end(how string) {
	v.how = how
	runtime.Goexit()
}

// try returns how a test that needs a program ends, "" if it has it.
func try(program string) (how, path string) {
	v := &missingVerdict{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = testkit.Need(v, program)
	}()
	<-done
	return v.how, path
}

func TestProgram(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(self))
	if how, path := try(filepath.Base(self)); how != "" || path != self {
		t.Errorf("%s is at %q, and the test %s", self, path, how)
	}
	for setting, want := range map[string]string{"": "skipped", "wanted": "skipped", "required": "failed"} {
		t.Setenv("SHSESSION_INTEROP", setting)
		if how, _ := try("no-such-program"); how != want {
			t.Errorf("SHSESSION_INTEROP=%s: the test is %s, want %s", setting, how, want)
		}
	}
}
