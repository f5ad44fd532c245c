package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// urlsOf returns the base URL, token URL and client id of a service's environment.
func urlsOf(env []string) (base, token, client string) {
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		switch name {
		case "SH_BASE_URL":
			base = value
		case "SH_TOKEN_URL":
			token = value
		case "SH_CLIENT_ID":
			client = value
		}
	}
	return base, token, client
}

// loginAt starts login at a terminal, and returns the config.toml that it would write.
func loginAt(t *testing.T, args string) (c *testkit.Console, config string) {
	t.Helper()
	home := t.TempDir()
	config = filepath.Join(home, "config", "sentinelhub", "config.toml")
	c = testkit.Shell(t, "sh", isolated(home)...)
	c.Write(t, "shsession login"+args+"\r")
	return c, config
}

// The dialogue: a service by its base URL, a refused secret, one with blanks around it, and the answer.
func TestLoginByDialogue(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	base, token, client := urlsOf(env)
	c, config := loginAt(t, "")
	c.Await(t, "1  Sentinel Hub +https://services.sentinel-hub.com\\s+2  Copernicus Data Space +https://sh.dataspace")
	c.Await(t, "Service: 1, 2, or another one's base URL \\[1\\]: ")
	c.Type(t, base+"\r", "Token URL: ")
	c.Type(t, token+"\r", "A client's id and secret are made where "+base+" says\\s+Client id: ")
	c.Type(t, client+"\r", secretQuestion)
	c.Type(t, "wrong\r", "(?s)warning: .*unauthorized_client.*; the client is known, so check the secret\\s+"+secretQuestion)
	c.Type(t, "  "+scriptSecret+"'\r", "The secret has a blank before it and a quote behind it. Leave that out\\? y or n \\[y\\]: ")
	c.Type(t, "\r", "logged in at "+base+"\\s+client +"+client)
	c.Await(t, "expires .* in 1h|expires .* in 59m")
	c.Await(t, "profile default-profile is written to")
	if n := c.Count(scriptSecret); n > 0 {
		t.Errorf("the terminal shows the secret %d times", n)
	}
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(text), `"`+scriptSecret+`"`) || !strings.Contains(string(text), base) {
		t.Errorf("%v, config.toml: %s", err, text)
	}
	if n := service.Counters().TokensIssued; n != 1 {
		t.Errorf("%d logins, want one", n)
	}
	// A second time everything is known, and the secret is kept.
	c.Await(t, "prompt> ")
	c.Type(t, "shsession login\r", "base URL \\["+base+"\\]: ")
	c.Type(t, "\r", "Token URL \\["+token+"\\]: ")
	c.Type(t, "\r", "Client id \\["+client+"\\]: ")
	c.Type(t, "\r", "empty keeps the old one")
	c.Type(t, "\r", "logged in at ")
	c.Await(t, "is written to")
}

// Each question can be left with ^D, and nothing is written.
func TestLoginCancelled(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	base, token, client := urlsOf(env)
	answers := []struct{ text, next string }{
		{base, "Token URL"}, {token, "Client id"}, {client, "Client secret"}, {" " + scriptSecret, "Leave that out"},
	}
	for n := range len(answers) + 1 {
		c, config := loginAt(t, "")
		c.Await(t, "Service: .*: ")
		for _, answer := range answers[:n] {
			c.Type(t, answer.text+"\r", answer.next+".*: ")
		}
		c.Type(t, testkit.CtrlD, "cancelled: nothing is written\\s+prompt> ")
		if _, err := os.Stat(config); err == nil {
			t.Errorf("after %d answers something was written", n)
		}
	}
}

// A secret is taken as it is if the user says so. A control character is refused.
func TestSecretAsItIs(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "config.toml")
	c := testkit.Shell(t, "sh", isolated(t.TempDir())...)
	set := "shsession --config " + config + " profile set x --client-id y\r"
	c.Type(t, set, secretQuestion)
	c.Type(t, "\""+scriptSecret+"\"\r", "a quote before and behind it. Leave that out")
	c.Type(t, "maybe\r", "Leave that out")
	c.Type(t, "no\r", "is written")
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(text), `"\"`+scriptSecret+`\""`) {
		t.Errorf("%v, config.toml: %s", err, text)
	}
	c.Type(t, strings.Replace(set, "set x", "set z", 1), secretQuestion)
	c.Type(t, "\x1b[200~"+scriptSecret+"\x1b[201~\r", "control character.*nothing is written")
	if c.Count(scriptSecret) > 0 {
		t.Error("the terminal shows the secret")
	}
}
