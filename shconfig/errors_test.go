package shconfig_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/shsession/shsession/shconfig"
)

func TestLoadUnknownProfile(t *testing.T) {
	path := isolate(t)
	want := &shconfig.UnknownProfileError{File: path, Profile: "cdsee"}
	check := func() {
		t.Helper()
		_, err := shconfig.Load(shconfig.Options{Profile: "cdsee"})
		got, ok := errors.AsType[*shconfig.UnknownProfileError](err)
		if !ok {
			t.Fatalf("got %v", err)
		}
		mustEqual(t, "error", got, want)
	}
	check() // no file

	write(t, path, "scalar = 1\n[default-profile]\n[cdse]\n[[array]]\n")
	want.Have, want.Nearest = []string{"cdse", "default-profile"}, "cdse"
	check()

	t.Setenv("SH_PROFILE", "nothing like it")
	_, err := shconfig.Load(shconfig.Options{})
	if got, ok := errors.AsType[*shconfig.UnknownProfileError](err); !ok || got.Nearest != "" {
		t.Errorf("got %v, want an unknown profile with nothing near", err)
	}
}

func TestLoadWrongValues(t *testing.T) {
	for _, tt := range []struct {
		line string
		key  shconfig.Key
	}{
		{`sh_client_id = 5`, shconfig.ClientID},
		{`sh_client_secret = 12345678`, shconfig.ClientSecret},
		{`sh_client_secret = ["hunter2hunter2"]`, shconfig.ClientSecret},
		{`sh_base_url = true`, shconfig.BaseURL},
		{`sh_token_url = {a = 1}`, shconfig.TokenURL},
		{`sh_auth_base_url = 2020-01-01`, "sh_auth_base_url"},
		{`max_download_attempts = 4.0`, shconfig.MaxDownloadAttempts},
		{`max_download_attempts = 0`, shconfig.MaxDownloadAttempts},
		{`max_download_attempts = 9223372036854775807`, shconfig.MaxDownloadAttempts},
		{`download_sleep_time = "5"`, shconfig.DownloadSleepTime},
		{`download_sleep_time = -1`, shconfig.DownloadSleepTime},
		{`download_sleep_time = nan`, shconfig.DownloadSleepTime},
		{`download_timeout_seconds = 0`, shconfig.DownloadTimeout},
		{`download_timeout_seconds = inf`, shconfig.DownloadTimeout},
		{`download_timeout_seconds = 1e300`, shconfig.DownloadTimeout},
	} {
		t.Run(tt.line, func(t *testing.T) {
			path := isolate(t)
			write(t, path, "[other]\n[bad]\n"+tt.line+"\n")
			_, err := shconfig.Load(shconfig.Options{Profile: "bad"})
			got, ok := errors.AsType[*shconfig.ValueError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			mustEqual(t, "file", got.File, path)
			mustEqual(t, "profile", got.Profile, "bad")
			mustEqual(t, "key", got.Key, tt.key)
			// Without the path, which holds the name of the subtest.
			if text := strings.ReplaceAll(err.Error(), path, ""); strings.Contains(text, "12345678") || strings.Contains(text, "hunter2") {
				t.Errorf("%v shows the secret", err)
			}
			load(t, shconfig.Options{Profile: "other"}) // which is not harmed
		})
	}
}

func TestLoadProfileThatIsNoTable(t *testing.T) {
	path := isolate(t)
	write(t, path, "default-profile = 'x'\n")
	_, err := shconfig.Load(shconfig.Options{})
	if got, ok := errors.AsType[*shconfig.ValueError](err); !ok || got.Key != "" || got.Profile != shconfig.DefaultProfile {
		t.Errorf("got %v", err)
	}
}

func TestLoadSyntaxErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		line int
	}{
		"no quotes":       {"[a]\n\nsh_client_secret = hunter2hunter2\n", 3},
		"number":          {"[a]\nsh_client_secret = 1234567890123456789012345\n", 2},
		"huge float":      {"[a]\nsh_client_secret = 12345678e1234567\n", 2},
		"open string":     {"[a]\nsh_client_secret = \"hunter2hunter2\n", 2},
		"twice the key":   {"[a]\nx = 1\nx = 2\n", 3},
		"twice the table": {"[a]\n[b]\n[a]\n", 3},
		"no UTF-8":        {"[a]\nx = \"\xff\"\n", 2},
	} {
		t.Run(name, func(t *testing.T) {
			path := isolate(t)
			write(t, path, tt.text)
			_, err := shconfig.Load(shconfig.Options{})
			got, ok := errors.AsType[*shconfig.SyntaxError](err)
			if !ok {
				t.Fatalf("got %v", err)
			}
			mustEqual(t, "file", got.File, path)
			mustEqual(t, "line", got.Line, tt.line)
			for _, secret := range []string{"hunter2", "12345678"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%v shows the secret", err)
				}
			}
			if _, err := shconfig.Open(""); err == nil {
				t.Error("opened to be edited all the same")
			}
		})
	}
}
