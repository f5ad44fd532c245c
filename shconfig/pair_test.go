package shconfig_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

func TestLoadPairs(t *testing.T) {
	const (
		sh, shToken     = shsession.SentinelHubBaseURL, shsession.SentinelHubTokenURL
		cdse, cdseToken = shsession.CDSEBaseURL, shsession.CDSETokenURL
		own, usWest     = "http://localhost:8081/token", "https://services-uswest2.sentinel-hub.com"
	)
	for name, tt := range map[string]struct {
		fileBase, fileToken, envBase, envToken string
		arguments                              shconfig.Options
		base, token                            string
		warnings                               int
	}{
		"environment names a service":            {envBase: cdse, base: cdse, token: cdseToken},
		"environment leaves the file's service":  {fileBase: cdse, fileToken: cdseToken, envBase: sh, base: sh, token: shToken},
		"environment says both":                  {envBase: cdse, envToken: shToken, base: cdse, token: shToken, warnings: 1},
		"environment keeps a token URL of one's": {fileToken: own, envBase: cdse, base: cdse, token: own},
		"us-west logs in at the main service":    {envBase: usWest, base: usWest, token: shToken},
		"the file is not corrected":              {fileBase: cdse, base: cdse, token: shToken, warnings: 1},
		"an argument names a service": {
			arguments: shconfig.Options{Settings: shconfig.Settings{BaseURL: cdse}}, envToken: shToken, base: cdse, token: cdseToken,
		},
		"a preset wins over all": {
			arguments: shconfig.Options{Preset: "sentinelhub"}, fileBase: cdse, envBase: cdse, envToken: cdseToken, base: sh, token: shToken,
		},
		"a single setting wins over the preset": {
			arguments: shconfig.Options{Preset: "cdse", Settings: shconfig.Settings{TokenURL: own}}, base: cdse, token: own,
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := isolate(t)
			text := "[default-profile]\n"
			if tt.fileBase != "" {
				text += fmt.Sprintf("sh_base_url = %q\n", tt.fileBase)
			}
			if tt.fileToken != "" {
				text += fmt.Sprintf("sh_token_url = %q\n", tt.fileToken)
			}
			write(t, path, text)
			t.Setenv("SH_BASE_URL", tt.envBase)
			t.Setenv("SH_TOKEN_URL", tt.envToken)
			p := load(t, tt.arguments)
			mustEqual(t, "base URL", p.BaseURL, tt.base)
			mustEqual(t, "token URL", p.TokenURL, tt.token)
			mustEqual(t, "number of warnings", len(p.Warnings), tt.warnings)
		})
	}
}

func TestPreset(t *testing.T) {
	for _, name := range shconfig.Presets() {
		s, err := shconfig.Preset(name)
		if err != nil || s.BaseURL == "" || shsession.TokenURLFor(s.BaseURL) != s.TokenURL {
			t.Errorf("%s: got %+v, %v", name, s, err)
		}
	}
	isolate(t)
	if _, err := shconfig.Load(shconfig.Options{Preset: "csde"}); !errors.Is(err, shconfig.ErrUnknownPreset) {
		t.Errorf("got %v", err)
	}
}
