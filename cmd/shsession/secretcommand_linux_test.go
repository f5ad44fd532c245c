package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// What the secret's command writes to standard error is seen at a terminal, also if the command fails. It
// goes nowhere else: not to a file that has the place of the terminal, and not into a log.
func TestSecretCommandAtATerminal(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	dir, name := t.TempDir(), unique()
	script := "echo the-vault-says-hello >&2; test ! -e " + dir + "/locked && cat " + dir + "/secret"
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte(scriptSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env = append(append(isolated(dir), env...), "SH_CLIENT_SECRET=", "SH_CLIENT_SECRET_COMMAND="+script)
	c := testkit.Shell(t, "sh", env...)
	c.Type(t, "cd "+dir+"; shsession token --no-cache >token; echo code=$?\r", `the-vault-says-hello\r?\ncode=0`)
	c.Type(t, "touch locked; shsession token --no-cache; echo code=$?\r", `(?s)the-vault-says-hello\r?\n.*the command failed.*code=1`)
	c.Type(t, "rm locked; shsession token --no-cache 2>log; echo code=$?\r", `code=0`)
	c.Type(t, "touch locked; shsession token --no-cache 2>>log; echo code=$?\r", `code=1`)
	c.Type(t, "rm locked; shsession share --name "+name+" --log-format json -v 2>>log -- shsession collect >token; echo code=$?\r", `code=0`)
	if n := c.Count("the-vault-says-hello"); n != 2 {
		t.Errorf("the terminal shows it %d times, want twice", n)
	}
	for _, file := range []string{"log", "token"} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || len(text) == 0 || strings.Contains(string(text), "vault") {
			t.Errorf("%s: %v, %s", file, err, text)
		}
	}
}
