package main

import (
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// onlySlow is what the demo may warn of, on a machine so busy that a login takes longer than its token lives.
var onlySlow = regexp.MustCompile(`^(shsession: warning: no new token: .*had expired when it arrived.*\n)*$`)

// What the demo promises, it shows: a login and its claims, a token kept fresh through
// several lives, requests that are authorised all the time, and one token for everybody.
func TestDemo(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"processes": {"demo"}, "goroutines": {"demo", "--goroutines"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" && name == "processes" && testing.Short() {
				t.Skip("ten processes with tokens of 5 seconds need a fast machine")
			}
			var p *process
			if err := testkit.Steady(t, func() error {
				p = command(t, nil, args...)
				p.start(t)
				if code := p.exit(t); code != 0 {
					return fmt.Errorf("exit code %d", code)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
			one, all, _ := strings.Cut(p.out.String(), "2. One token for every process")
			checkLogIn(t, one)
			n := counts(t, `(?m)^(\d+) requests, 0 failed, (\d+) tokens, (\d+) logins\.$`, all)
			if requests, tokens, logins := n[0], n[1], n[2]; requests < 1 || requests >= 100 && tokens < 3 || logins < tokens || logins > 9 {
				t.Errorf("%d tokens of %d logins for %d requests", tokens, logins, requests)
			}
			if name == "processes" && strings.Count(all, "is killed") != 2 {
				t.Error("two processes should have been killed")
			}
			if t.Failed() || !onlySlow.MatchString(p.err.String()) {
				t.Errorf("the demo printed:\n%s\nand %s", p.out.String(), p.err.String())
			}
		})
	}
}

// checkLogIn looks at the demo's first part, in which one session lives for 2.5 tokens of a second each. A busy machine
// makes a few of the 25 requests, and may miss a token between two of them.
func checkLogIn(t *testing.T, text string) {
	t.Helper()
	for _, claim := range []string{
		`client +demo`, `user +[0-9a-f-]{36}`, `issuer +http://127\.0\.0\.1:\d+/auth/realms/main`, `scope +profile email`,
		`issued +\d{4}-\d\d-\d\d .*`, `expires +\d{4}-\d\d-\d\d .*, in [01]s`,
	} {
		if !regexp.MustCompile(`(?m)^` + claim + `$`).MatchString(text) {
			t.Errorf("no claim %s", claim)
		}
	}
	n := counts(t, `(?m)^(\d+) requests, 0 failed, (\d+) logins\.$`, text)
	requests, logins := n[0], n[1]
	busy := requests < 20
	if requests < 1 || logins < 1 || !busy && logins < 3 || logins > 7 {
		t.Errorf("one session made %d requests and %d logins", requests, logins)
	}
	shown := 0
	for regexp.MustCompile(fmt.Sprintf(`(?m)^ +\d\.\ds  token %d, the API answers 200$`, shown+1)).MatchString(text) {
		shown++
	}
	if shown < 1 || shown > logins || !busy && shown < logins-1 { // the last may have come with the end
		t.Errorf("%d tokens are shown, of %d logins", shown, logins)
	}
}

// counts returns the numbers in a line of the text.
func counts(t *testing.T, pattern, text string) (numbers []int) {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no line %s in:\n%s", pattern, text)
	}
	for _, digits := range found[1:] {
		n, err := strconv.Atoi(digits)
		if err != nil {
			t.Fatal(err)
		}
		numbers = append(numbers, n)
	}
	return numbers
}
