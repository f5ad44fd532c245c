package shconfig

import (
	"fmt"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/nearest"
)

// preset is a service by name: a base URL and the token URL that goes with it.
type preset struct{ name, baseURL, tokenURL string }

func presets() []preset {
	return []preset{
		{"sentinelhub", shsession.SentinelHubBaseURL, shsession.SentinelHubTokenURL},
		{"cdse", shsession.CDSEBaseURL, shsession.CDSETokenURL},
	}
}

// Presets lists the names that [Preset] knows.
func Presets() []string {
	var names []string
	for _, p := range presets() {
		names = append(names, p.name)
	}
	return names
}

// Preset returns the pair of URLs of the service with that name, in upper or lower case, as
// [Settings] for [Options] or [File.Set]. For any other name it fails with [ErrUnknownPreset].
func Preset(name string) (Settings, error) {
	for _, p := range presets() {
		if strings.EqualFold(p.name, name) {
			return Settings{BaseURL: p.baseURL, TokenURL: p.tokenURL}, nil
		}
	}
	err := fmt.Errorf("%w %q: there are %s", ErrUnknownPreset, name, quoted(Presets()))
	if n := nearest.To(strings.ToLower(name), Presets()); n != "" {
		err = fmt.Errorf("%w; did you mean %q?", err, n)
	}
	return Settings{}, err
}
