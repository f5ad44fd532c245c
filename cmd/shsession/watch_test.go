package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// status --watch writes a line for each change into a pipe, until it is killed, on every system.
func TestWatchIntoAPipe(t *testing.T) {
	t.Parallel()
	_, env := startServiceWith(t, identity.Options{Lifetime: 4 * time.Second})
	name := unique()
	lines := command(t, env, "status", "--watch", name)
	objects := command(t, env, "status", "--watch", "--json", name)
	lines.start(t)
	objects.start(t)
	share := startShare(t, env, name)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the lines: %s%s\nthe objects: %s%s", lines.out.String(), lines.err.String(), objects.out.String(), objects.err.String())
		}
	})
	wait := func(line, event string) {
		t.Helper()
		whole := regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ` + name + `  ` + line + `.*\n`)
		testkit.Eventually(t, line, func() bool { return whole.MatchString(lines.out.String()) })
		object := regexp.MustCompile(`(?m)^\{"time":"[^"]+","event":"` + event + `","name":"` + name + `".*\n`)
		testkit.Eventually(t, event, func() bool { return object.MatchString(objects.out.String()) })
	}
	wait(fmt.Sprintf("shared by %d, ", share.Process.Pid), "found")
	wait("renewed, ", "renewed")
	share.Process.Kill()
	share.exit(t)
	wait("(its sharers died|expired)", "(orphaned|expired|sharers)") // on a busy machine it had expired before
	if err := shm.Remove(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	wait("gone", "gone")
	for _, watch := range []*process{lines, objects} {
		watch.Process.Kill()
		watch.exit(t)
		if strings.Contains(watch.out.String(), "eyJ") || watch.err.String() != "" {
			t.Errorf("%v: %q, %q", watch.Args, watch.out.String(), watch.err.String())
		}
	}
	for object := range strings.Lines(objects.out.String()) {
		if !json.Valid([]byte(object)) {
			t.Errorf("not JSON: %q", object)
		}
	}
}
