//go:build man

// With the build tag man this is the generator of the manual pages: it writes
// one for each command into a directory. deploy/generate runs it.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run -tags man ./cmd/shsession DIRECTORY")
		os.Exit(2)
	}
	if err := writeManual(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeManual writes the pages of all commands and help topics into dir.
func writeManual(dir string) error {
	root := newApp(stdio{os.Stdin, os.Stdout, os.Stderr}).rootCommand()
	root.DisableAutoGenTag = true
	plainFlags(root)
	b := buildInfo()
	header := doc.GenManHeader{Section: "1", Source: "shsession " + b.Version, Manual: "User Commands"}
	if revised, err := time.Parse(time.RFC3339, b.Time); err == nil {
		header.Date = &revised
	}
	return writePages(root, header, dir)
}

// writePages writes the pages of c and of the commands below it.
func writePages(c *cobra.Command, header doc.GenManHeader, dir string) error {
	if !c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
		return nil
	}
	var page bytes.Buffer
	if err := doc.GenMan(c, &header, &page); err != nil {
		return err
	}
	name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
	if err := os.WriteFile(filepath.Join(dir, name), []byte(unbroken(page.String())), 0o644); err != nil {
		return err
	}
	for _, sub := range c.Commands() {
		if err := writePages(sub, header, dir); err != nil {
			return err
		}
	}
	return nil
}

// unbroken returns page such that no name in it is broken at the end of a line, and a
// minus is one when it is copied: HY is the register of man(7)'s macros for hyphenation,
// and a bare hyphen is a place to break a line at.
func unbroken(page string) string {
	return ".nr HY 0\n" + strings.NewReplacer(`\-`, `\-`, "-", `\-`, "\t", "    ").Replace(page)
}
