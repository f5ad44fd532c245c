package identity_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

const ossifrage = "squeamish-ossifrage-zzz"

// holder keeps secrets where methods aren't called: in unexported fields.
type holder struct {
	client  identity.Client
	pointer *identity.Client
	options identity.Options
	server  *identity.Server
	Open    any
	List    []any
	Map     map[string]any
}

// secretHolders returns every exported type that holds a secret, by name.
func secretHolders(t *testing.T) map[string]any {
	t.Helper()
	client := identity.Client{ID: "a", Secret: shsession.NewSecret(ossifrage)}
	o := identity.Options{Clients: []identity.Client{client}, Key: testKey()}
	s, err := identity.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"client": client, "pointer to a client": &client, "options": o, "pointer to options": &o, "server": s,
		"holder": holder{client, &client, o, s, client, []any{o, s}, map[string]any{"k": client}},
	}
}

func TestSecretsDontShow(t *testing.T) {
	leaks := []string{"zzz", "7a7a7a", "7A7A7A", "122 122 122", testKey().D.String(), testKey().D.Text(16), testKey().Primes[0].String()}
	scan := func(how, output string) {
		t.Helper()
		for _, leak := range leaks {
			if strings.Contains(output, leak) {
				t.Errorf("%s shows a secret", how)
			}
		}
	}
	for name, plain := range secretHolders(t) {
		for _, v := range []any{plain, &plain, []any{plain}, map[string]any{"k": plain}, struct{ V any }{plain}, struct{ v any }{plain}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10.3v", "%t"} {
				scan(verb+" of the "+name, fmt.Sprintf(verb, v))
			}
			scan("Sprint of the "+name, fmt.Sprint(v)+fmt.Sprintln(v)+fmt.Errorf("error: %v", v).Error())
			if text, err := json.Marshal(v); err == nil {
				scan("JSON of the "+name, string(text))
			}
			if text, err := xml.Marshal(v); err == nil {
				scan("XML of the "+name, string(text))
			}
			var buf bytes.Buffer
			if gob.NewEncoder(&buf).Encode(v) == nil {
				scan("gob of the "+name, buf.String())
			}
			buf.Reset()
			for _, handler := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
				logger := slog.New(handler)
				logger.Info("message", "value", v, slog.Group("group", "nested", v))
				logger.With("with", v).WithGroup("g").Info("message", "values", []any{v})
			}
			scan("slog of the "+name, buf.String())
		}
	}
}

// A panic with a secret in hand shows none. The children of this test panic.
func TestSecretsDontShowInPanics(t *testing.T) {
	values := secretHolders(t)
	values["error"] = fmt.Errorf("with %v, %+v and %#v", values["client"], values["options"], values["holder"])
	if which := os.Getenv("SHSESSION_TEST_PANIC"); which != "" {
		panic(values[which])
	}
	for which := range values {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSecretsDontShowInPanics$")
		cmd.Env = append(os.Environ(), "SHSESSION_TEST_PANIC="+which, "GORACE=atexit_sleep_ms=0")
		output, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(output, []byte("panic")) {
			t.Fatalf("%s: no panic: %s", which, output)
		}
		if bytes.Contains(output, []byte("zzz")) {
			t.Errorf("a panic with the %s shows a secret", which)
		}
	}
}
