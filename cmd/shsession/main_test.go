package main

import (
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shsession/shsession/internal/testkit"
)

// The tests run the command as processes of its own: this binary under the
// command's name, which testscript.Main puts in PATH.
func TestMain(m *testing.M) {
	testscript.Main(testRun{m}, map[string]func(){"shsession": main})
}

// A testRun runs the tests.
type testRun struct{ *testing.M }

// Run is called in the process of the tests alone, not in those of the command.
func (r testRun) Run() int {
	testkit.SetParallel("24")
	for _, s := range []os.Signal{syscall.SIGHUP, os.Interrupt} {
		if signal.Ignored(s) { // by nohup or by a script's &, and so it would be by every program that a test starts
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	return r.M.Run()
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		Setup:               setUp,
		Condition:           scriptCondition,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"identity": scriptIdentity,
			"fault":    scriptFault,
			"logins":   scriptLogins,
			"exits":    scriptExits,
			"await":    scriptAwait,
			"age":      scriptAge,
			"spoil":    scriptSpoil,
			"silence":  scriptSilence,
			"redis":    scriptRedis,
			"signal":   scriptSignal,
			"together": scriptTogether,
		},
	})
}
