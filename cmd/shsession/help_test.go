package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

// Every help text fits a terminal of 80 columns.
func TestHelpFits(t *testing.T) {
	var all func(c *cobra.Command, path []string)
	n := 0
	all = func(c *cobra.Command, path []string) {
		n++
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(path, "--help"), stdio{out: &out, err: &errs}); code != exitOK {
			t.Errorf("%v --help: exit code %d: %s", path, code, errs.String())
		}
		for line := range strings.Lines(out.String()) {
			if columns := utf8.RuneCountInString(strings.TrimRight(line, "\n")); columns > helpWidth {
				t.Errorf("%v --help has a line of %d columns: %s", path, columns, line)
			}
		}
		for _, sub := range c.Commands() {
			all(sub, append(path[:len(path):len(path)], sub.Name()))
		}
	}
	root := newApp(stdio{}).rootCommand()
	all(root, nil)
	if n < 20 {
		t.Errorf("only %d commands have help", n)
	}
}
