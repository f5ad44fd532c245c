package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What ends a service is in its log, as a record with a level and, where there is one, a hint.
func TestFatalErrorIsLogged(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	wrong := append(env, "SH_CLIENT_SECRET=wrong")
	for _, test := range []struct {
		env  []string
		args []string
		code int
		msg  string
		hint bool
	}{
		{wrong, []string{"share", "--name", clientIn(env)}, exitCredentials, "refused", true},
		{wrong, []string{"share", "--name", clientIn(env), "--", "true"}, exitCredentials, "refused", true},
		{append(env, "SH_CLIENT_SECRET="), []string{"proxy", "--listen", "127.0.0.1:0"}, exitCredentials, "no secret", true},
		{env, []string{"share", "--to", "header:/missing/header"}, exitFailure, "no such file", false},
		{env, []string{"share", "--name", ""}, exitUsage, "--name is empty", true},
		{env, []string{"share", "--bogus"}, exitUsage, "unknown flag", true},
		{env, []string{"share", "--name", clientIn(env), "--", "/missing/command"}, 127, "can't be started", false},
	} {
		p := command(t, test.env, append([]string{test.args[0], "--log-format", "json"}, test.args[1:]...)...)
		p.start(t)
		if code := p.exit(t); code != test.code {
			t.Errorf("%v: exit code %d, want %d", test.args, code, test.code)
		}
		records := jsonRecords(t, p.err.String())
		last := records[len(records)-1]
		if last["level"] != "ERROR" || !strings.Contains(last["msg"], test.msg) || (last["hint"] != "") != test.hint {
			t.Errorf("%v: the last record is %v", test.args, last)
		}

		p = command(t, test.env, test.args...)
		text := inJournal(t, p, test.code)
		if !strings.Contains(text, "<3>msg=") || !strings.Contains(text, test.msg) || strings.Contains(text, " hint=") != test.hint {
			t.Errorf("%v: the journal got %s", test.args, text)
		}
	}
}

// A warning is a record too.
func TestWarningIsLogged(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	blockCache(t, env)
	p := command(t, env, "share", "--log-format", "json", "--name", clientIn(env), "--", "true")
	p.start(t)
	if code := p.exit(t); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if record := jsonRecords(t, p.err.String())[0]; record["level"] != "WARN" || !strings.Contains(record["msg"], "without this machine's cache") {
		t.Errorf("it said %v", record)
	}
	text := inJournal(t, command(t, env, "share", "--name", clientIn(env), "--", "true"), exitOK)
	if !strings.HasPrefix(text, `<4>msg="logging in without this machine's cache`) {
		t.Errorf("the journal got %s", text)
	}
}

// jsonRecords returns the lines of a log, of which there has to be one at least.
func jsonRecords(t *testing.T, log string) (records []map[string]string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var values map[string]any
		if err := json.Unmarshal([]byte(line), &values); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		record := map[string]string{}
		for key, value := range values {
			record[key], _ = value.(string)
		}
		records = append(records, record)
	}
	if len(records) == 0 {
		t.Fatal("nothing was logged")
	}
	return records
}

// inJournal runs a command whose standard error is systemd's journal, and returns what that got.
func inJournal(t *testing.T, p *process, code int) string {
	t.Helper()
	journal, err := os.Create(filepath.Join(t.TempDir(), "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	p.Env = append(p.Env, "JOURNAL_STREAM="+device(t, journal))
	p.Stderr = journal
	p.start(t)
	if got := p.exit(t); got != code {
		t.Errorf("%v: exit code %d, want %d", p.Args, got, code)
	}
	text, err := os.ReadFile(journal.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
