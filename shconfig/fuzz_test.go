package shconfig_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/pelletier/go-toml/v2"
	"pgregory.net/rapid"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// decode reads a document with the library alone.
func decode(t require, path string) map[string]any {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	data := map[string]any{}
	if err := toml.Unmarshal(raw, &data); err != nil {
		t.Fatalf("%v in %q", err, raw)
	}
	return data
}

// require is what testing.T and rapid.T have in common.
type require interface {
	Helper()
	Fatalf(format string, args ...any)
}

// setAndCompare sets a profile in the file at path, and checks that Load reads it
// and that nothing else in the file has changed. It reports whether Set took it.
func setAndCompare(t require, path, profile, id, secret string) bool {
	t.Helper()
	f, err := shconfig.Open(path)
	if err != nil {
		t.Fatalf("%v", err)
	}
	before := decode(t, path)
	err = f.Set(profile, shconfig.Settings{ClientID: id, ClientSecret: shsession.NewSecret(secret), TokenURL: shsession.CDSETokenURL})
	if _, refused := errors.AsType[*shconfig.ValueError](err); refused {
		return false
	}
	if err == nil {
		err = f.Save()
	}
	if err != nil {
		t.Fatalf("%v", err)
	}
	after := decode(t, path)
	got, ok := after[profile].(map[string]any)
	if !ok || got["sh_client_id"] != id || got["sh_client_secret"] != secret || got["sh_token_url"] != shsession.CDSETokenURL {
		t.Fatalf("profile %q: got %v", profile, after[profile])
	}
	want, _ := before[profile].(map[string]any)
	for _, key := range []string{"sh_client_id", "sh_client_secret", "sh_token_url", "sh_auth_base_url"} {
		delete(want, key)
		delete(got, key)
	}
	if want == nil {
		before[profile] = map[string]any{}
	}
	sameTime := cmp.Comparer(func(a, b time.Time) bool { return a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano) })
	if diff := cmp.Diff(before, after, cmpopts.EquateNaNs(), sameTime); diff != "" {
		t.Fatalf("the rest has changed (-before +after):\n%s", diff)
	}
	return true
}

// Any text is read or refused without a panic. What is read can be edited, and
// the edit changes what it should and nothing else.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"", annotated, "[default-profile]", "a = {x = 1}\n", "a.b.c = 1\n", "[a.b]\n[a]\n", "[[a]]\nx = 1\n[[a]]\n[a.b]\n",
		"[a]\r\nx = \"\"\"\r\n[b]\r\n\"\"\"\r\n", "x = [nan, -inf, 1e-7, 0x10, 07:32:00, 1979-05-27T07:32:00Z]\n",
		"\"\" = 1\n[\"\"]", "[ \"a\" . 'b' ] # c", "[a]\nsh_client_id = 'x'\nsh_client_id.y = 1\n", "\ufeff[a]\n", "[a]\nsh_client_id.x = 1",
	} {
		f.Add(text, "a", "id")
		f.Add(text, "new one", "\"\\\n\x00")
	}
	dir := f.TempDir()
	f.Setenv("XDG_CONFIG_HOME", dir)
	for _, name := range []string{"SH_PROFILE", "SH_CLIENT_ID", "SH_CLIENT_SECRET", "SH_CLIENT_SECRET_FILE", "SH_CLIENT_SECRET_COMMAND", "SH_BASE_URL", "SH_TOKEN_URL"} {
		f.Setenv(name, "")
	}
	path := filepath.Join(dir, "config.toml")
	f.Fuzz(func(t *testing.T, text, profile, value string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, loadErr := shconfig.Load(shconfig.Options{File: path, Profile: profile})
		file, err := shconfig.Open(path)
		if err != nil {
			if loadErr == nil {
				t.Fatalf("loaded, but not opened: %v", err)
			}
			return
		}
		if value == "" || profile == "" || !setAndCompare(t, path, profile, value, "s") {
			return
		}
		if _, err := shconfig.Load(shconfig.Options{File: path, Profile: profile}); loadErr == nil && err != nil {
			t.Fatalf("not loaded any more: %v", err)
		}
		for _, name := range file.Profiles() {
			if err := file.Remove(name); err != nil {
				t.Fatalf("remove %q: %v", name, err)
			}
		}
		if left := file.Profiles(); len(left) > 0 {
			t.Fatalf("left after removing all: %q", left)
		}
	})
}

// Whatever profiles a file has, setting one keeps the data of the others.
func TestSetKeepsOthers(t *testing.T) {
	path := isolate(t)
	write(t, path, "")
	text := rapid.StringOfN(rapid.RuneFrom([]rune("ab.\"'\\[]#=\n\t \x7fé☃")), 1, 12, -1).Filter(utf8.ValidString)
	value := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SliceOfN(text, 0, 3), func(s []string) any { return s }),
		rapid.Map(rapid.MapOfN(text, text, 0, 3), func(m map[string]string) any { return m }),
	)
	document := rapid.MapOfN(text, rapid.MapOfN(text, value, 0, 4), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		raw, err := toml.Marshal(document.Draw(t, "document"))
		if err == nil {
			err = os.WriteFile(path, raw, 0o600)
		}
		if err != nil {
			t.Fatalf("%v", err)
		}
		if !setAndCompare(t, path, text.Draw(t, "profile"), text.Draw(t, "id"), text.Draw(t, "secret")) {
			t.Fatalf("refused")
		}
	})
}
