package interop_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/shm"
)

// A limitedRun is what limited.py prints.
type limitedRun struct {
	Done    []int
	Seconds float64
}

// TestLimitPython has sixteen processes of the package, unmodified, work off requests at a
// service with the free tier's limits: by themselves, and through a proxy that knows the
// limits or learns them.
func TestLimitPython(t *testing.T) {
	const processes, each = 16, 25
	needPython(t)
	free, _ := ratelimit.Preset("cdse-free")
	for _, test := range []struct {
		name  string
		limit string  // of the proxy; without one there is no proxy
		most  float64 // refusals for a success
	}{
		{name: "the package by itself", most: 100},
		{name: "through a proxy that knows the limit", limit: "cdse-free", most: 0.05},
		{name: "through a proxy that learns", limit: "auto", most: 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			service, url := listen(t, identity.Options{Limit: free, Units: 1, Takes: 200 * time.Millisecond})
			m := newMachine(t)
			if test.limit != "" {
				name := ownName(t)
				t.Cleanup(func() { _ = shm.Remove(context.Background(), name) }) // there is a limit, and no token
				url = newCommand(t, url).proxy(t, "--limit", test.limit, "--limit-in", "shm:"+name)
			}
			m.logInto(t, url, realmOf(url), credentials{identity.DevelopmentID, identity.DevelopmentSecret})
			var run limitedRun
			m.run(t, nil, &run, "limited.py", strconv.Itoa(processes), strconv.Itoa(each), endpoint{url: url}.api())
			for _, n := range run.Done {
				if n != each {
					t.Errorf("a process made %d downloads of %d", n, each)
				}
			}
			n := service.Counters()
			refusals := float64(n.APILimited) / (processes * each)
			t.Logf("%.3f refusals a success (%d of %d), %.1f s, %d logins", refusals, n.APILimited, n.APIRequests, run.Seconds, n.TokenRequests)
			if refusals > test.most {
				t.Errorf("%.3f refusals a success, want %v at most", refusals, test.most)
			}
			if n.APIRequests-n.APILimited != processes*each {
				t.Errorf("the service counts %+v", n)
			}
		})
	}
}
