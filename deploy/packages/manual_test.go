package packages_test

import (
	"regexp"
	"strings"
	"testing"
)

// The pages are clean, and there is one for every command that the help lists.
func (r release) testManual(t *testing.T) {
	need(t, "mandoc", "col")
	// mandoc wants a day in the date; cobra gives the month, as man-pages(7) allows.
	if found := run(t, "bash", "-c", `for page in .cache/generated/*.1.gz; do zcat "$page" | mandoc -T lint -W warning | grep -v "cannot parse date"; done; true`); found != "" {
		t.Error(found)
	}
	help := run(t, r.program, "--help")
	commands := regexp.MustCompile(`(?m)^  ([a-z]+)  +[A-Z]`).FindAllStringSubmatch(help, -1)
	if len(commands) < 10 {
		t.Fatalf("found %d commands in the help", len(commands))
	}
	for _, c := range commands {
		if c[1] == "help" {
			continue
		}
		page := run(t, "bash", "-c", "set -o pipefail; zcat .cache/generated/shsession-"+c[1]+".1.gz | mandoc -T utf8 -O width=100 | col -b")
		if !strings.Contains(page, "shsession-"+c[1]+" - ") {
			t.Errorf("the page of %s has no name:\n%s", c[1], page)
		}
	}
	page := run(t, "bash", "-c", "set -o pipefail; zcat .cache/generated/shsession-environment.1.gz | mandoc -T utf8 -O width=60 | col -b")
	if !strings.Contains(page, "SHSESSION_REDIS_SENTINEL_PASSWORD_FILE") {
		t.Errorf("a name is broken in the page of the environment:\n%s", page)
	}
}
