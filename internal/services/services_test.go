package services_test

import (
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/services"
)

var known = services.Known{
	SentinelHub: services.Service{
		BaseURL:  "https://services.sentinel-hub.com",
		TokenURL: "https://services.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token",
	},
	CDSE: services.Service{
		BaseURL:  "https://sh.dataspace.copernicus.eu",
		TokenURL: "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token",
	},
}

// A service has all addresses in its domain, and no address that only looks like one.
func TestOf(t *testing.T) {
	for url, want := range map[string]services.Service{
		known.SentinelHub.BaseURL:                   known.SentinelHub,
		known.SentinelHub.TokenURL:                  known.SentinelHub,
		"https://services-uswest2.sentinel-hub.com": known.SentinelHub,
		"https://Sentinel-Hub.COM:443/x":            known.SentinelHub,
		known.CDSE.BaseURL:                          known.CDSE,
		known.CDSE.TokenURL:                         known.CDSE,
		"https://catalogue.dataspace.copernicus.eu": known.CDSE,
		"https://sentinel-hub.com.example":          {},
		"https://my-sentinel-hub.com":               {},
		"https://example.com/sentinel-hub.com":      {},
		"https://sentinel-hub.com@example.com":      {},
		"https://copernicus.eu":                     {},
		"services.sentinel-hub.com":                 {}, // no host without a scheme
		"https://%zz.sentinel-hub.com":              {},
		"":                                          {},
	} {
		if got := known.Of(url); got != want {
			t.Errorf("%q: %+v, want %+v", url, got, want)
		}
	}
}

func TestAreMixed(t *testing.T) {
	sh, cdse, other := known.SentinelHub, known.CDSE, services.Service{BaseURL: "https://a.example", TokenURL: "https://b.example/token"}
	for _, c := range []struct {
		base, token services.Service
		want        bool
	}{
		{sh, cdse, true}, {cdse, sh, true},
		{sh, sh, false}, {cdse, cdse, false},
		{sh, other, false}, {other, sh, false}, {other, other, false},
	} {
		if got := known.AreMixed(c.base.BaseURL, c.token.TokenURL); got != c.want {
			t.Errorf("%s and %s: %t", c.base.BaseURL, c.token.TokenURL, got)
		}
	}
}

func TestIssuers(t *testing.T) {
	const sentinelHub = "https://services.sentinel-hub.com/auth/realms/main"
	for url, want := range map[string]string{
		known.SentinelHub.TokenURL:                      sentinelHub,
		"https://services.sentinel-hub.com/oauth/token": sentinelHub,
		"https://services-uswest2.sentinel-hub.com/auth/realms/main/protocol/openid-connect/token": sentinelHub,
		known.CDSE.TokenURL: "https://identity.dataspace.copernicus.eu/auth/realms/CDSE",
		"http://LOGIN.example:8080/realms/x/protocol/openid-connect/token": "http://login.example:8080/realms/x",
		"https://login.example/token":                                      "",
		"/protocol/openid-connect/token":                                   "",
		"https://%zz/protocol/openid-connect/token":                        "",
	} {
		if got := known.IssuerOf(url); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
	for issuer, want := range map[string]string{
		"https://services-uswest2.sentinel-hub.com/auth/realms/main": sentinelHub,
		"https://login.example/realms/x":                             "https://login.example/realms/x",
		"":                                                           "",
	} {
		if got := known.OneIssuer(issuer); got != want {
			t.Errorf("issuer %q: %q, want %q", issuer, got, want)
		}
	}
}

// A hint names the other service where a client of that service may have been given.
func TestRefusalHint(t *testing.T) {
	sh, cdse := known.SentinelHub, known.CDSE
	for _, c := range []struct{ code, base, token, want, not string }{
		{"invalid_client", sh.BaseURL, sh.TokenURL, "the Copernicus Data Space's clients are unknown to Sentinel Hub", "belong to different services"},
		{"OAUTH_ERROR", sh.BaseURL, sh.TokenURL, "the Copernicus Data Space's clients are unknown to Sentinel Hub", "belong to different services"},
		{"invalid_client", cdse.BaseURL, cdse.TokenURL, "Sentinel Hub's clients are unknown to the Copernicus Data Space", "belong to different services"},
		{"invalid_client", sh.BaseURL, cdse.TokenURL, "belong to different services, and each refuses the other's credentials; check the client id", "check the secret"},
		{"unauthorized_client", sh.BaseURL, sh.TokenURL, "the client is known, so check the secret", "unknown"},
		{"invalid_client", "", "https://login.example/token", "check the client id and secret", "Sentinel Hub"},
	} {
		got := known.RefusalHint(c.code, c.base, c.token)
		if !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("%s, %s, %s: %s", c.code, c.base, c.token, got)
		}
	}
	if got := known.RefusalHint("invalid_scope", sh.BaseURL, cdse.TokenURL); got != "" {
		t.Errorf("a hint on a code that the client's credentials don't cause: %s", got)
	}
}
