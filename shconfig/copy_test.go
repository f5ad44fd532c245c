package shconfig_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// elsewhere is settings of a profile that is made by Copy.
var elsewhere = shconfig.Settings{BaseURL: "https://base.example", TokenURL: "http://127.0.0.1:1/token"}

const elsewhereText = "[new]\nsh_base_url = 'https://base.example'\nsh_token_url = 'http://127.0.0.1:1/token'\n"

// Copy adds at the end, byte for byte, and Remove takes that away again.
func TestCopyProfile(t *testing.T) {
	copyTo := func(from string, without ...shconfig.Key) func(*shconfig.File) error {
		return func(f *shconfig.File) error { return f.Copy(from, "new", elsewhere, without...) }
	}
	for name, tt := range map[string]edited{
		"of nothing in a new file": {"", elsewhereText, copyTo("default-profile")},
		"of nothing":               {"[b]\nx = 1\n", "[b]\nx = 1\n\n" + elsewhereText, copyTo("default-profile")},
		"after a line without end": {"[b]\nx = 1", "[b]\nx = 1\n\n" + elsewhereText, copyTo("c")},
		"with Windows' line ends":  {"[b]\r\nx = 1\r\n", strings.ReplaceAll("[b]\nx = 1\n\n"+elsewhereText, "\n", "\r\n"), copyTo("c")},
		"after a comment":          {"[b]\nx = 1\n# the end\n", "[b]\nx = 1\n# the end\n\n" + elsewhereText, copyTo("c")},
		"of all kinds of keys": {
			"[b]\nsh_client_id = 'i'\nsh_client_secret = 's'\nsh_auth_base_url = 'https://old.example'\nsh_base_url = 'https://other.example'\nn = 1.5\nlist = [1, 'a']\nyes = true\n",
			"[b]\nsh_client_id = 'i'\nsh_client_secret = 's'\nsh_auth_base_url = 'https://old.example'\nsh_base_url = 'https://other.example'\nn = 1.5\nlist = [1, 'a']\nyes = true\n" +
				"\n[new]\nlist = [1, 'a']\nn = 1.5\nsh_base_url = 'https://base.example'\nsh_token_url = 'http://127.0.0.1:1/token'\nyes = true\n",
			copyTo("b", shconfig.ClientID, shconfig.ClientSecret),
		},
		"of one that is written with dots": {
			"b.sh_client_id = 'i'\nb.instance_id = 'x'\n# the end",
			"b.sh_client_id = 'i'\nb.instance_id = 'x'\n# the end\n\n[new]\ninstance_id = 'x'\n" + strings.TrimPrefix(elsewhereText, "[new]\n"),
			copyTo("b", shconfig.ClientID),
		},
		"of one with tables inside": {
			"[b]\n[b.c]\nd = 1\n", "[b]\n[b.c]\nd = 1\n\n" + elsewhereText + "\n[new.c]\nd = 1\n", copyTo("b"),
		},
		"over a default base URL": {
			"[b]\nsh_base_url = 'https://other.example'\n",
			"[b]\nsh_base_url = 'https://other.example'\n\n[new]\nsh_token_url = 'http://127.0.0.1:1/token'\n",
			func(f *shconfig.File) error {
				return f.Copy("b", "new", shconfig.Settings{BaseURL: shsession.SentinelHubBaseURL, TokenURL: elsewhere.TokenURL})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tt.check(t)
			if err := removeProfile("new"); err != nil {
				t.Fatal(err)
			}
			path, err := shconfig.Path()
			if err != nil {
				t.Fatal(err)
			}
			if tt.before == "" {
				if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("an empty file is left, %v", err)
				}
				return
			}
			got := read(t, path)
			if !strings.HasSuffix(tt.before, "\n") {
				got = strings.TrimRight(got, "\n") // the end that the last line had to get
			}
			mustEqual(t, "file after Remove", got, tt.before)
		})
	}
}

func removeProfile(profile string) error {
	f, err := shconfig.Open("")
	if err != nil {
		return err
	}
	return errors.Join(f.Remove(profile), f.Save())
}

// Two copies are removed in either order.
func TestCopiesAreRemoved(t *testing.T) {
	for _, order := range [][]string{{"one", "two"}, {"two", "one"}} {
		path := isolate(t)
		write(t, path, annotated+"\n")
		f := open(t, "")
		for _, name := range []string{"one", "two"} {
			if err := f.Copy("default-profile", name, elsewhere); err != nil {
				t.Fatal(err)
			}
		}
		save(t, f)
		for _, name := range order {
			if err := removeProfile(name); err != nil {
				t.Fatal(err)
			}
		}
		mustEqual(t, "file", read(t, path), annotated+"\n")
	}
}

func TestCopyMistakes(t *testing.T) {
	path := isolate(t)
	write(t, path, "a = 1\n[b]\n")
	f := open(t, "")
	for name, err := range map[string]error{
		"to one that is there": f.Copy("c", "b", elsewhere),
		"to what is no table":  f.Copy("c", "a", elsewhere),
		"of what is no table":  f.Copy("a", "c", elsewhere),
		"to no name":           f.Copy("b", "", elsewhere),
		"with a bad URL":       f.Copy("b", "c", shconfig.Settings{TokenURL: "\xff"}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	save(t, f)
	mustEqual(t, "file", read(t, path), "a = 1\n[b]\n")
}

// Dir is where the file is, not where a link to it is.
func TestDir(t *testing.T) {
	path := isolate(t)
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := open(t, "").Dir()
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "directory", got, want)
	if runtime.GOOS == "windows" {
		return // links need a privilege there
	}
	elsewhere := t.TempDir()
	if err := os.Symlink(filepath.Join(elsewhere, "other.toml"), path); err != nil {
		t.Fatal(err)
	}
	if want, err = filepath.EvalSymlinks(elsewhere); err != nil {
		t.Fatal(err)
	}
	if got, err = open(t, "").Dir(); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "directory of the link's target", got, want)
}

// FuzzCopy checks that a copy which is removed again leaves any document as it was, but for
// the end of its last line.
func FuzzCopy(f *testing.F) {
	for _, text := range []string{"", annotated, annotated + "\n", "# a comment", "a.b = 1\n \n", "[a]\r\nb = 1\r\n\r\n", "[a]\n[a.b]\nc = 1\n[a.c]\n# end\n\n\n"} {
		f.Add(text)
	}
	path := filepath.Join(f.TempDir(), "config.toml")
	f.Fuzz(func(t *testing.T, text string) {
		write(t, path, text)
		file, err := shconfig.Open(path)
		if err != nil || file.Copy("a", "new", elsewhere) != nil {
			return
		}
		save(t, file)
		if got := read(t, path); !strings.HasPrefix(got, text) {
			t.Errorf("%q became %q", text, got)
		}
		if file = open(t, path); file.Remove("new") != nil {
			t.Fatal("the copy is not there")
		}
		save(t, file)
		got, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if end := strings.TrimPrefix(string(got), text); text != "" && (len(end) > 2 || strings.Trim(end, "\r\n") != "") {
			t.Errorf("%q became %q", text, got)
		}
	})
}
