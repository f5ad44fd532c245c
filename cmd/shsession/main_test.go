package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The tests run the command as processes of its own: this binary under the
// command's name, which testscript.Main puts in PATH.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"shsession": main})
}

func TestScripts(t *testing.T) {
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
			"redis":    scriptRedis,
			"signal":   scriptSignal,
			"together": scriptTogether,
		},
	})
}
