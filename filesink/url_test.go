package filesink_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession/filesink"
)

func TestParseURL(t *testing.T) {
	type parsed struct {
		Path    string
		Options filesink.Options
	}
	for text, want := range map[string]parsed{
		"file:/run/token":        {"/run/token", filesink.Options{}},
		"token-file:token":       {"token", filesink.Options{Format: filesink.Raw}},
		"header:./a b":           {"./a b", filesink.Options{Format: filesink.Header}},
		"header:///run/x":        {"///run/x", filesink.Options{Format: filesink.Header}},
		`file:C:\Users\me\token`: {`C:\Users\me\token`, filesink.Options{}},
		"file:/a%3Fb%25c":        {"/a?b%c", filesink.Options{}},
		"file:/x?":               {"/x", filesink.Options{}},
		"file:/x?keep=1":         {"/x", filesink.Options{Keep: true}},
		"file:/x?keep=false":     {"/x", filesink.Options{}},
		"header:/run/x?mode=0640&group=gis&keep=1": {"/run/x", filesink.Options{
			Format: filesink.Header, Mode: 0o640, Group: "gis", Keep: true}},
		"file:/x?owner=me&mode=644&world-readable=1": {"/x", filesink.Options{
			Owner: "me", Mode: 0o644, WorldReadable: true}},
	} {
		path, o, err := filesink.ParseURL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if diff := cmp.Diff(want, parsed{path, o}); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for _, text := range []string{
		"", "/run/x", "shm:x", "File:/x", "file", "file:", "file:?keep=1", "file:%00",
		"header://run/x", "header:~/x", "header:/x%2", "header:/x%zz",
		"file:/x?Keep=1", "file:/x?user=me", "file:/x?keep=1&keep=1", "file:/x?keep", "file:/x?keep=maybe",
		"file:/x?mode=", "file:/x?mode=0", "file:/x?mode=0888", "file:/x?mode=rw", "file:/x?mode=77777", "file:/x?mode=-1",
		"file:/x?group=", "file:/x?owner=", "file:/x?a;b=c", "file:/x?%zz=1", "file:/x?keep=1?mode=0600",
	} {
		if path, o, err := filesink.ParseURL(text); err == nil {
			t.Errorf("%q: got %q, %+v and no error", text, path, o)
		}
	}
}

func TestOpenURL(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	escaped := strings.ReplaceAll(path, "%", "%25")
	s, err := filesink.OpenURL("header:" + escaped + "?keep=1")
	if err != nil {
		t.Fatal(err)
	}
	if s.Path() != path || s.Format() != filesink.Header || s.String() != "header:"+path {
		t.Errorf("got %v at %s", s, s.Path())
	}
	if _, err := filesink.OpenURL("header:" + escaped + "?mode=0644"); err == nil {
		t.Error("a file for everybody to read, and nobody said so")
	}
}

func FuzzParseURL(f *testing.F) {
	for _, text := range []string{
		"file:/x", "token-file:rel", "header:/run/x?mode=0640&group=gis&keep=1", "header:/a%3Fb?owner=me&world-readable=1", "shm:x", "file:%00?",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path, o, err := filesink.ParseURL(text)
		if err != nil {
			return
		}
		if path == "" || strings.ContainsRune(path, 0) {
			t.Fatalf("path %q", path)
		}
		again := o.Format.String() + ":" + strings.NewReplacer("%", "%25", "?", "%3F").Replace(path)
		samePath, plain, err := filesink.ParseURL(again)
		if err != nil || samePath != path || plain != (filesink.Options{Format: o.Format}) {
			t.Fatalf("%q became %q: %q, %+v, %v", text, again, samePath, plain, err)
		}
		_, _ = filesink.Open(path, o) // which touches no file
	})
}
