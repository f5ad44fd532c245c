package netenv_test

import (
	"net/url"
	"testing"

	"github.com/shsession/shsession/internal/netenv"
)

// Two URLs have one origin if they differ in case, in the path, or by the scheme's own port.
func TestOriginOf(t *testing.T) {
	for text, want := range map[string]string{
		"https://Services.Sentinel-Hub.com/api": "https://services.sentinel-hub.com",
		"HTTPS://host:443":                      "https://host",
		"http://host:80/":                       "http://host",
		"http://host:443":                       "http://host:443",
		"https://host:80":                       "https://host:80",
		"http://[::1]:3000/x":                   "http://[::1]:3000",
		"https://[2001:db8::1]":                 "https://[2001:db8::1]",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		again, err := url.Parse(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := netenv.OriginOf(u); got.String() != want || got != netenv.OriginOf(again) {
			t.Errorf("%s has the origin %s, want %s", text, got, want)
		}
	}
}
