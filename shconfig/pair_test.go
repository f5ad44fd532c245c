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
		ownBase         = "https://gateway.example"
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
		"environment names an unknown service":   {envBase: ownBase, base: ownBase, token: ""},
		"the file names an unknown service":      {fileBase: ownBase, base: ownBase, token: ""},
		"an unknown service over a known one":    {fileBase: cdse, fileToken: cdseToken, envBase: ownBase, base: ownBase, token: ""},
		"an unknown service over an unknown one": {fileBase: "https://b.example", fileToken: own, envBase: ownBase, base: ownBase, token: own},
		"an unknown service and its token URL":   {envBase: ownBase, envToken: own, base: ownBase, token: own},
		"the environment has what the file lacks": {
			fileBase: ownBase, envToken: own, base: ownBase, token: own,
		},
		"a login at a known service, said":  {fileBase: ownBase, fileToken: shToken, base: ownBase, token: shToken},
		"a known service over an unknown":   {fileBase: ownBase, envBase: sh, base: sh, token: shToken},
		"an argument names an unknown one":  {arguments: shconfig.Options{Settings: shconfig.Settings{BaseURL: ownBase}}, base: ownBase, token: ""},
		"a preset helps an unknown service": {arguments: shconfig.Options{Preset: "CDSE"}, fileBase: ownBase, base: cdse, token: cdseToken},
		"a preset's token URL, and one's own": {
			arguments: shconfig.Options{Preset: "cdse", Settings: shconfig.Settings{BaseURL: ownBase}}, base: ownBase, token: cdseToken,
		},
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
			write(t, isolate(t), pairText(tt.fileBase, tt.fileToken))
			t.Setenv("SH_BASE_URL", tt.envBase)
			t.Setenv("SH_TOKEN_URL", tt.envToken)
			p := load(t, tt.arguments)
			mustEqual(t, "base URL", p.BaseURL, tt.base)
			mustEqual(t, "token URL", p.TokenURL, tt.token)
			mustEqual(t, "token URL has a source", p.Sources[shconfig.TokenURL] != "", tt.token != "")
			mustEqual(t, "number of warnings", len(p.Warnings), tt.warnings)
		})
	}
}

// pairText returns a config.toml with those of the URLs that aren't empty.
func pairText(base, token string) string {
	text := "[default-profile]\n"
	if base != "" {
		text += fmt.Sprintf("sh_base_url = %q\n", base)
	}
	if token != "" {
		text += fmt.Sprintf("sh_token_url = %q\n", token)
	}
	return text
}

// A configuration without a token URL is one that no session is made of.
func TestUnknownServiceLogsInNowhere(t *testing.T) {
	isolate(t)
	t.Setenv("SH_CLIENT_ID", "id")
	t.Setenv("SH_CLIENT_SECRET", "secret")
	t.Setenv("SH_BASE_URL", "https://gateway.example")
	if _, err := shsession.New(load(t, shconfig.Options{}).Config()); err == nil {
		t.Error("a session was made")
	}
}

// Who logs in at a known service for one that isn't has to say so, and keeps it said.
func TestSetKeepsTokenURLOfUnknownService(t *testing.T) {
	path := isolate(t)
	f := open(t, "")
	set(t, f, "a", shconfig.Settings{BaseURL: "https://gateway.example", TokenURL: shsession.SentinelHubTokenURL})
	set(t, f, "b", shconfig.Settings{BaseURL: "https://gateway.example"})
	set(t, f, "b", shconfig.Settings{TokenURL: shsession.SentinelHubTokenURL})
	set(t, f, "c", shconfig.Settings{BaseURL: shsession.SentinelHubBaseURL, TokenURL: shsession.SentinelHubTokenURL})
	save(t, f)
	for _, name := range []string{"a", "b"} {
		p := load(t, shconfig.Options{Profile: name})
		mustEqual(t, "token URL", p.TokenURL, shsession.SentinelHubTokenURL)
		mustEqual(t, "source", p.Sources[shconfig.TokenURL], path)
	}
	mustEqual(t, "source", load(t, shconfig.Options{Profile: "c"}).Sources[shconfig.TokenURL], shconfig.SourceDefault)
}

func TestPreset(t *testing.T) {
	for _, name := range append(shconfig.Presets(), "CDSE", "SentinelHub") {
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
