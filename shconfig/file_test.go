package shconfig_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

func open(t *testing.T, path string) *shconfig.File {
	t.Helper()
	f, err := shconfig.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func set(t *testing.T, f *shconfig.File, profile string, s shconfig.Settings) {
	t.Helper()
	if err := f.Set(profile, s); err != nil {
		t.Fatal(err)
	}
}

func save(t *testing.T, f *shconfig.File) {
	t.Helper()
	if err := f.Save(); err != nil {
		t.Fatal(err)
	}
}

const annotated = `# Ours.

[default-profile]
sh_client_id = "id"   # of the team
sh_client_secret = """
two
lines"""
instance_id = "kept"
# sh_base_url = "https://example.com"

# The Copernicus one.
[cdse]
sh_client_id = 'c'
[cdse.extra]
list = [
  1,
  2, # two
]

# The last.
[last]
x = 1`

// edited is a file before and after an edit.
type edited struct {
	before, after string
	edit          func(*shconfig.File) error
}

// check compares byte for byte: what was not to change has not.
func (e edited) check(t *testing.T) {
	path := isolate(t)
	write(t, path, e.before)
	f := open(t, "")
	if err := e.edit(f); err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "file before Save", read(t, path), e.before)
	save(t, f)
	mustEqual(t, "file", read(t, path), e.after)
}

func TestAddProfile(t *testing.T) {
	for name, tt := range map[string]edited{
		"new profile in a new file": {
			"", "[a]\nsh_client_id = \"x\"\n",
			func(f *shconfig.File) error { return f.Set("a", shconfig.Settings{ClientID: "x"}) },
		},
		"new profile after a line without end": {
			"[b]\nx = 1", "[b]\nx = 1\n\n[a]\nsh_client_id = \"x\"\n",
			func(f *shconfig.File) error { return f.Set("a", shconfig.Settings{ClientID: "x"}) },
		},
		"name and values in need of quotes": {
			"", "[\"a.b \\\"ü\"]\nsh_client_id = \"\\\\\\n\\u0007☃\"\n",
			func(f *shconfig.File) error { return f.Set("a.b \"ü", shconfig.Settings{ClientID: "\\\n\a☃"}) },
		},
		"empty profile": {
			"", "[a]\n", func(f *shconfig.File) error { return f.Set("a", shconfig.Settings{MaxDownloadAttempts: 4}) },
		},
		"numbers": {
			"[a]\n", "[a]\nmax_download_attempts = 9\ndownload_sleep_time = 0.25\ndownload_timeout_seconds = 30.0\n",
			func(f *shconfig.File) error {
				return f.Set("a", shconfig.Settings{MaxDownloadAttempts: 9, DownloadSleepTime: 250 * time.Millisecond, DownloadTimeout: 30 * time.Second})
			},
		},
	} {
		t.Run(name, tt.check)
	}
}

func TestChangeProfile(t *testing.T) {
	for name, tt := range map[string]edited{
		"value in place, new value after the last": {
			annotated, strings.NewReplacer("\"id\"  ", "\"new\"  ", "\"kept\"\n", "\"kept\"\nmax_download_attempts = 2\n").Replace(annotated),
			func(f *shconfig.File) error {
				return f.Set("default-profile", shconfig.Settings{ClientID: "new", MaxDownloadAttempts: 2})
			},
		},
		"value of many lines": {
			annotated, strings.Replace(annotated, "\"\"\"\ntwo\nlines\"\"\"", "\"s\"", 1),
			func(f *shconfig.File) error {
				return f.Set("default-profile", shconfig.Settings{ClientSecret: shsession.NewSecret("s")})
			},
		},
		"defaults are not stored": {
			"[a]\nsh_base_url = 'https://x'\nsh_token_url = 'https://y' # gone\nmax_download_attempts = 3\n", "[a]\n",
			func(f *shconfig.File) error {
				return f.Set("a", shconfig.Settings{BaseURL: shsession.SentinelHubBaseURL, TokenURL: shsession.SentinelHubTokenURL, MaxDownloadAttempts: 4})
			},
		},
		"a token URL replaces the old key": {
			"[a]\nsh_auth_base_url = 'https://x'\ny = 1\n", "[a]\ny = 1\nsh_token_url = \"https://t\"\n",
			func(f *shconfig.File) error { return f.Set("a", shconfig.Settings{TokenURL: "https://t"}) },
		},
		"line ends of Windows": {
			"[a]\r\nx = 1\r\n", "[a]\r\nx = 1\r\nsh_client_id = \"i\"\r\n",
			func(f *shconfig.File) error { return f.Set("a", shconfig.Settings{ClientID: "i"}) },
		},
		"profile with nothing but a table inside": {
			"[a.b]\nx = 1\n", "[a.b]\nx = 1\n\n[a]\nsh_client_id = \"i\"\n",
			func(f *shconfig.File) error { return f.Set("a", shconfig.Settings{ClientID: "i"}) },
		},
	} {
		t.Run(name, tt.check)
	}
}

func TestRemoveProfile(t *testing.T) {
	for name, tt := range map[string]edited{
		"remove the first, whose name is also inside a string": {
			"[a]\nx = '''\n[b]\n# '''\n[b]\ny = 1\n", "[b]\ny = 1\n",
			func(f *shconfig.File) error { return f.Remove("a") },
		},
		"remove with its comment and inner table": {
			annotated, strings.Replace(annotated, annotated[strings.Index(annotated, "# The Cop"):strings.Index(annotated, "# The last")], "", 1),
			func(f *shconfig.File) error { return f.Remove("cdse") },
		},
		"remove the last": {
			annotated, annotated[:strings.Index(annotated, "\n# The last")],
			func(f *shconfig.File) error { return f.Remove("last") },
		},
		"remove what is written with dots": {
			"a.x = 1\nb.x = 2\na.y = 3\n", "b.x = 2\n",
			func(f *shconfig.File) error { return f.Remove("a") },
		},
	} {
		t.Run(name, tt.check)
	}
}

// Where the text can't be edited, all data survives anyway.
func TestSetRewritesWhatItCannotEdit(t *testing.T) {
	for name, text := range map[string]string{
		"inline table": "a = {instance_id = 'kept', deep = {x = nan}}\n[b]\nwhen = 2020-01-01T00:00:00+01:00\n",
		"dotted keys":  "a.instance_id = 'kept'\na.deep.x = 1\n[b]\nx = [{y = 1}, 2, []]\n",
	} {
		t.Run(name, func(t *testing.T) {
			path := isolate(t)
			write(t, path, text)
			f := open(t, "")
			set(t, f, "a", shconfig.Settings{ClientID: "i"})
			save(t, f)
			mustEqual(t, "client id", load(t, shconfig.Options{Profile: "a"}).ClientID, "i")
			mustEqual(t, "profiles", open(t, "").Profiles(), []string{"a", "b"})
			if got := read(t, path); !strings.Contains(got, "kept") || !strings.Contains(got, "deep") {
				t.Errorf("something is lost: %s", got)
			}
		})
	}
}

func TestSetReadsBack(t *testing.T) {
	isolate(t)
	want := shconfig.Settings{
		ClientID: "\"quoted\" \\ 'single' \t\r\n\x00\x7f  é日本", ClientSecret: shsession.NewSecret("'''\"\"\"\\u0041"),
		BaseURL: shsession.CDSEBaseURL, TokenURL: shsession.CDSETokenURL,
		MaxDownloadAttempts: math.MaxInt32, DownloadSleepTime: 1, DownloadTimeout: 1e9 * time.Second,
	}
	for _, name := range []string{"plain", "dotted.name", `q"uo'te`, "Ünï ☃", "line\nend", " ", "[a]", "#", "default-profile"} {
		f := open(t, "")
		set(t, f, name, want)
		save(t, f)
		p := load(t, shconfig.Options{Profile: name})
		mustEqual(t, "secret of "+name, p.ClientSecret.Reveal(), want.ClientSecret.Reveal())
		p.ClientSecret = want.ClientSecret
		if p.Settings != want {
			t.Errorf("%s: got %+v, want %+v", name, p.Settings, want)
		}
	}
	mustEqual(t, "number of profiles", len(open(t, "").Profiles()), 9)
}

func TestSetRefuses(t *testing.T) {
	path := isolate(t)
	write(t, path, "scalar = 1\n")
	f := open(t, "")
	for name, tt := range map[string]struct {
		profile string
		s       shconfig.Settings
		key     shconfig.Key
	}{
		"no name":          {"", shconfig.Settings{}, ""},
		"name not UTF-8":   {"\xff", shconfig.Settings{}, ""},
		"not a table":      {"scalar", shconfig.Settings{}, ""},
		"id not UTF-8":     {"a", shconfig.Settings{ClientID: "\xff"}, shconfig.ClientID},
		"secret not UTF-8": {"a", shconfig.Settings{ClientSecret: shsession.NewSecret("\xff")}, shconfig.ClientSecret},
		"attempts":         {"a", shconfig.Settings{MaxDownloadAttempts: -1}, shconfig.MaxDownloadAttempts},
		"wait":             {"a", shconfig.Settings{DownloadSleepTime: -1}, shconfig.DownloadSleepTime},
		"timeout":          {"a", shconfig.Settings{DownloadTimeout: math.MaxInt64}, shconfig.DownloadTimeout},
	} {
		err := f.Set(tt.profile, tt.s)
		if got, ok := errors.AsType[*shconfig.ValueError](err); !ok || got.Key != tt.key {
			t.Errorf("%s: got %v", name, err)
		}
	}
	save(t, f)
	mustEqual(t, "file", read(t, path), "scalar = 1\n")
}

func TestRemoveUnknown(t *testing.T) {
	path := isolate(t)
	write(t, path, "[cdse]\n")
	err := open(t, "").Remove("cdes")
	if got, ok := errors.AsType[*shconfig.UnknownProfileError](err); !ok || got.Nearest != "cdse" || got.File != path {
		t.Errorf("got %v", err)
	}
}

// A File says of a profile what Load finds once it's saved.
func TestFileProfile(t *testing.T) {
	path := isolate(t)
	t.Setenv("SH_CLIENT_ID", "from the environment")
	f := open(t, "")
	set(t, f, "a", shconfig.Settings{ClientID: "x", ClientSecret: shsession.NewSecret("s"), BaseURL: shsession.CDSEBaseURL})
	p, err := f.Profile("a")
	if err != nil {
		t.Fatal(err)
	}
	mustEqual(t, "client id", p.ClientID, "x")
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "s")
	mustEqual(t, "token URL", p.TokenURL, shsession.SentinelHubTokenURL)
	mustEqual(t, "warnings of a mixed pair", len(p.Warnings), 1)
	mustEqual(t, "file", p.File, path)
	if _, err := f.Profile("b"); !errors.As(err, new(*shconfig.UnknownProfileError)) {
		t.Errorf("got %v", err)
	}
}
