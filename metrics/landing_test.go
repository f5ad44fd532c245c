package metrics_test

import (
	"net/http"
	"regexp"
	"testing"
)

// The page for people links to everything that is served, and to nothing else.
func TestLanding(t *testing.T) {
	h := busy().Handler()
	code, text := get(t, h, "/")
	if code != http.StatusOK {
		t.Fatalf("code %d", code)
	}
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(text, -1)
	if len(links) != 3 {
		t.Errorf("%d links, want those to /metrics, /healthz and /readyz", len(links))
	}
	for _, link := range links {
		if code, _ := get(t, h, "/"+link[1]); code == http.StatusNotFound {
			t.Errorf("%s: code %d", link[1], code)
		}
	}
}
