package main

import (
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// commandsIn returns the calls of the command in a page's code, without what is behind --, and without the
// placeholders in capitals.
func commandsIn(t *testing.T, page string) (calls [][]string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range regexp.MustCompile("`[^`]+`").FindAllString(string(text), -1) {
		_, call, ok := strings.Cut(code, "shsession ")
		if !ok {
			continue
		}
		call, _, _ = strings.Cut(strings.Trim(call, "`"), ")")
		call, _, _ = strings.Cut(call, " -- ")
		calls = append(calls, strings.Fields(strings.NewReplacer("'", "", "COMMAND ", "").Replace(call)))
	}
	return calls
}

// Every command in these pages is there, with these flags and as many arguments.
func TestCommandsInDocs(t *testing.T) {
	for page, least := range map[string]int{"quickstart.md": 14, "beside.md": 25} {
		calls := commandsIn(t, page)
		if len(calls) < least {
			t.Errorf("%s: only %d commands", page, len(calls))
		}
		for _, call := range calls {
			root := newApp(stdio{strings.NewReader(""), io.Discard, io.Discard}).rootCommand()
			cmd, args, err := root.Find(call)
			if err == nil && cmd == root {
				continue // the synopsis of every command
			}
			if err == nil {
				err = cmd.ParseFlags(args)
			}
			if err != nil && !strings.Contains(err.Error(), "help requested") {
				t.Errorf("%s: shsession %s: %v", page, strings.Join(call, " "), err)
			}
		}
	}
}

// The quickstart is fifteen lines, as it was promised.
func TestQuickstartIsShort(t *testing.T) {
	text, err := os.ReadFile("../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n| ") - 1; n != 15 { // but for the header
		t.Errorf("%d lines, want 15", n)
	}
}
