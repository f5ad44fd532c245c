package packages_test

import (
	"regexp"
	"strings"
	"testing"
)

// The page is clean, and has every command that the help lists.
func (r release) testManual(t *testing.T) {
	need(t, "mandoc", "col")
	quietly(t, "bash", "-c", "set -o pipefail; zcat .cache/generated/shsession.1.gz | mandoc -T lint -W warning")
	page := run(t, "bash", "-c", "set -o pipefail; zcat .cache/generated/shsession.1.gz | mandoc -T utf8 -O width=100 | col -b")
	help := run(t, r.program, "--help")
	commands := regexp.MustCompile(`(?m)^  ([a-z]+)  +[A-Z]`).FindAllStringSubmatch(help, -1)
	if len(commands) < 10 {
		t.Fatalf("found %d commands in the help", len(commands))
	}
	for _, c := range commands {
		if name := c[1]; name != "help" && !strings.Contains(page, "\n   shsession "+name) {
			t.Errorf("there is no %s in the page", name)
		}
	}
}
