package interop_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// A profile is one in a config.toml, as each side knows it.
type profile struct {
	name     string
	settings shconfig.Settings // ours; fields that are zero have the default
	python   map[string]any    // the same of SHConfig's that differ from its defaults
}

// profiles have names and values that a TOML writer could get wrong.
var profiles = []profile{
	{
		name:     "default-profile",
		settings: shconfig.Settings{ClientID: "an-id", ClientSecret: shsession.NewSecret("a-secret")},
		python:   map[string]any{"sh_client_id": "an-id", "sh_client_secret": "a-secret"},
	}, {
		name: "cdse",
		settings: shconfig.Settings{
			ClientID: "sh-0", ClientSecret: shsession.NewSecret("x"),
			BaseURL: shsession.CDSEBaseURL, TokenURL: shsession.CDSETokenURL,
		},
		python: map[string]any{
			"sh_client_id": "sh-0", "sh_client_secret": "x",
			"sh_base_url": shsession.CDSEBaseURL, "sh_token_url": shsession.CDSETokenURL,
		},
	}, {
		name: "numbers",
		settings: shconfig.Settings{
			MaxDownloadAttempts: 7, DownloadSleepTime: 250 * time.Millisecond, DownloadTimeout: 33 * time.Second,
		},
		python: map[string]any{"max_download_attempts": 7.0, "download_sleep_time": 0.25, "download_timeout_seconds": 33.0},
	}, {
		name:     "empty",
		settings: shconfig.Settings{},
		python:   map[string]any{},
	}, {
		name:     "a.dotted name",
		settings: shconfig.Settings{ClientID: "dotted"},
		python:   map[string]any{"sh_client_id": "dotted"},
	}, {
		name:     "naïve 名前",
		settings: shconfig.Settings{ClientID: "ünï-🛰", ClientSecret: shsession.NewSecret("пароль")},
		python:   map[string]any{"sh_client_id": "ünï-🛰", "sh_client_secret": "пароль"},
	}, {
		name:     `"quoted" 'twice' \ # = []`,
		settings: shconfig.Settings{ClientID: `'"\`, ClientSecret: shsession.NewSecret("#'''\"\"\"\\u0041\t$%{}[]=")},
		python:   map[string]any{"sh_client_id": `'"\`, "sh_client_secret": "#'''\"\"\"\\u0041\t$%{}[]="},
	},
}

func TestConfigWrittenByGo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	file, err := shconfig.Open(m.configFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range profiles {
		if err := file.Set(p.name, p.settings); err != nil {
			t.Fatalf("profile %q: %v", p.name, err)
		}
	}
	if err := file.Save(); err != nil {
		t.Fatal(err)
	}
	defaults := readByPython(t, newMachine(t), nil)[0]
	for i, got := range readByPython(t, m, profiles) {
		want := maps.Clone(defaults)
		maps.Copy(want, profiles[i].python)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("profile %q (-want +got):\n%s", profiles[i].name, diff)
		}
	}
}

func TestConfigWrittenByPython(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	writeByPython(t, m, profiles)
	for _, p := range profiles {
		checkLoad(t, m, p)
	}
}

// TestConfigEditedByBoth takes turns at one file: nobody loses what the other wrote.
func TestConfigEditedByBoth(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.run(t, map[string]any{
		"default-profile": map[string]any{"instance_id": "an-instance", "aws_access_key_id": "a-key", "max_wfs_records_per_query": 50},
	}, nil, "config_write.py")
	for _, p := range profiles[:2] {
		file, err := shconfig.Open(m.configFile())
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Set(p.name, p.settings); err != nil {
			t.Fatal(err)
		}
		if err := file.Save(); err != nil {
			t.Fatal(err)
		}
	}
	writeByPython(t, m, profiles[2:])

	for _, p := range profiles {
		checkLoad(t, m, p)
	}
	got := readByPython(t, m, profiles[:1])[0]
	for key, want := range map[string]any{
		"instance_id": "an-instance", "aws_access_key_id": "a-key", "max_wfs_records_per_query": 50.0, "sh_client_id": "an-id",
	} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
}

// TestConfigOldURL reads sh_auth_base_url, which the package derives the token URL from.
func TestConfigOldURL(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.run(t, map[string]any{
		"default-profile": map[string]any{"sh_auth_base_url": "https://old.example"},
	}, nil, "config_write.py")
	var python []map[string]any
	m.run(t, nil, &python, "config_read.py")
	loaded, err := shconfig.Load(shconfig.Options{File: m.configFile()})
	if err != nil {
		t.Fatal(err)
	}
	const want = "https://old.example/oauth/token"
	if loaded.TokenURL != want || python[0]["sh_token_url"] != want {
		t.Errorf("token URL: ours %q, Python's %q, want %q", loaded.TokenURL, python[0]["sh_token_url"], want)
	}
}

// TestConfigPrecedence compares what is in force under the variables that both sides know.
func TestConfigPrecedence(t *testing.T) {
	m := newMachine(t)
	writeByPython(t, m, profiles)
	for name, env := range map[string]map[string]string{
		"nothing":         {},
		"profile":         {"SH_PROFILE": "cdse"},
		"id":              {"SH_CLIENT_ID": "env-id"},
		"both, a profile": {"SH_PROFILE": "numbers", "SH_CLIENT_ID": "env-id", "SH_CLIENT_SECRET": "env-secret"},
	} {
		t.Run(name, func(t *testing.T) {
			mine := machine{m.python, m.home, slices.Clone(m.env)}
			for _, variable := range []string{"SH_PROFILE", "SH_CLIENT_ID", "SH_CLIENT_SECRET", "SH_CLIENT_SECRET_FILE", "SH_CLIENT_SECRET_COMMAND", "SH_BASE_URL", "SH_TOKEN_URL"} {
				t.Setenv(variable, env[variable])
				if env[variable] != "" {
					mine.env = append(mine.env, variable+"="+env[variable])
				}
			}
			var python []map[string]any
			mine.run(t, nil, &python, "config_read.py")
			loaded, err := shconfig.Load(shconfig.Options{File: m.configFile()})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(only(python[0], shconfig.Keys()), asPython(loaded.Settings)); diff != "" {
				t.Errorf("in force (-Python +ours):\n%s", diff)
			}
		})
	}
}

func TestConfigUnknownProfile(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	writeByPython(t, m, profiles)
	if err := m.try(t, nil, nil, "config_read.py", "absent"); err == nil || !strings.Contains(err.Error(), "KeyError") {
		t.Errorf("Python: %v, want a KeyError", err)
	}
	_, err := shconfig.Load(shconfig.Options{File: m.configFile(), Profile: "absent"})
	if unknown := (*shconfig.UnknownProfileError)(nil); !errors.As(err, &unknown) || len(unknown.Have) != len(profiles) {
		t.Errorf("ours: %v, want an UnknownProfileError with %d profiles", err, len(profiles))
	}
}

// checkLoad compares a profile that is in the file with what we read.
func checkLoad(t *testing.T, m machine, p profile) {
	t.Helper()
	loaded, err := shconfig.Load(shconfig.Options{File: m.configFile(), Profile: p.name})
	if err != nil {
		t.Errorf("profile %q: %v", p.name, err)
		return
	}
	want := asPython(shconfig.Settings{
		BaseURL: shsession.SentinelHubBaseURL, TokenURL: shsession.SentinelHubTokenURL,
		MaxDownloadAttempts: 4, DownloadSleepTime: 5 * time.Second, DownloadTimeout: 120 * time.Second,
	})
	maps.Copy(want, p.python)
	if diff := cmp.Diff(want, asPython(loaded.Settings)); diff != "" {
		t.Errorf("profile %q (-want +got):\n%s", p.name, diff)
	}
}

// asPython returns settings under Python's names and in its units.
func asPython(s shconfig.Settings) map[string]any {
	return map[string]any{
		"sh_client_id":             s.ClientID,
		"sh_client_secret":         s.ClientSecret.Reveal(),
		"sh_base_url":              s.BaseURL,
		"sh_token_url":             s.TokenURL,
		"max_download_attempts":    float64(s.MaxDownloadAttempts),
		"download_sleep_time":      s.DownloadSleepTime.Seconds(),
		"download_timeout_seconds": s.DownloadTimeout.Seconds(),
	}
}

// only returns the members of settings that have one of the keys.
func only(settings map[string]any, keys []shconfig.Key) map[string]any {
	some := make(map[string]any)
	for _, key := range keys {
		some[string(key)] = settings[string(key)]
	}
	return some
}

// readByPython returns what SHConfig has for each profile, or for the one in force if there are none.
func readByPython(t *testing.T, m machine, profiles []profile) []map[string]any {
	t.Helper()
	var names []string
	for _, p := range profiles {
		names = append(names, p.name)
	}
	var settings []map[string]any
	m.run(t, nil, &settings, "config_read.py", names...)
	return settings
}

// writeByPython saves profiles with SHConfig.save.
func writeByPython(t *testing.T, m machine, profiles []profile) {
	t.Helper()
	all := make(map[string]map[string]any)
	for _, p := range profiles {
		all[p.name] = p.python
	}
	m.run(t, all, nil, "config_write.py")
}
