package nearest_test

import (
	"testing"

	"github.com/shsession/shsession/internal/nearest"
)

func TestTo(t *testing.T) {
	for _, tt := range []struct {
		word       string
		candidates []string
		want       string
	}{
		{"jsn", []string{"profile", "json"}, "json"},
		{"json", []string{"jsn", "json"}, "json"},
		{"csde", []string{"sentinelhub", "cdse"}, "cdse"},
		{"default-profil", []string{"cdse", "default-profile"}, "default-profile"},
		{"prodüction", []string{"produktion"}, "produktion"},
		{"a-rather-lengthy-nmae", []string{"a-rather-long-name"}, "a-rather-long-name"},
		{"frobnicate", []string{"json", "from", "no-cache"}, ""},
		{"xy", []string{"to"}, ""},
		{"a", []string{"b", ""}, ""},
		{"", []string{"", "a"}, ""},
		{"word", nil, ""},
		{"cdse1", []string{"cdse2", "cdse3"}, "cdse2"},
	} {
		if got := nearest.To(tt.word, tt.candidates); got != tt.want {
			t.Errorf("%q among %q: got %q, want %q", tt.word, tt.candidates, got, tt.want)
		}
	}
}
