package main

import (
	"regexp"
	"testing"
)

func TestDemo(t *testing.T) {
	for name, args := range map[string][]string{"processes": {"demo"}, "goroutines": {"demo", "--goroutines"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := command(t, nil, args...)
			p.start(t)
			if got := p.exit(t); got != 0 {
				t.Errorf("exit code %d", got)
			}
			counts := regexp.MustCompile(`(?m)^[1-9]\d+ requests, 0 failed, [3-9] tokens, [3-9] logins\.$`)
			if !counts.MatchString(p.out.String()) || p.err.String() != "" {
				t.Errorf("the demo printed:\n%s\nand %s", p.out.String(), p.err.String())
			}
		})
	}
}
