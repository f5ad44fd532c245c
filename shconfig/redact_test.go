package shconfig_test

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
	"github.com/shsession/shsession/shconfig"
)

// What mustn't show. The old secret is in the file, too.
const hidden, alsoHidden = "the-client-secret-zzz", "another-secret-zzz"

// holder keeps secrets where methods aren't called: in unexported fields.
type holder struct {
	file     shconfig.File
	pointer  *shconfig.File
	profile  shconfig.Profile
	settings shconfig.Settings
	options  shconfig.Options
	Open     any
	List     []any
	Map      map[string]any
}

// secretHolders returns every exported type that holds a secret, by name.
func secretHolders(t *testing.T) map[string]any {
	t.Helper()
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_client_id = 'me'\nsh_client_secret = '"+alsoHidden+"'\n")
	f := open(t, "")
	settings := shconfig.Settings{ClientID: "you", ClientSecret: shsession.NewSecret(hidden)}
	set(t, f, "second", settings)
	options := shconfig.Options{Settings: settings}
	profile := load(t, options)
	return map[string]any{
		"file": *f, "pointer to a file": f, "profile": profile, "settings": settings, "options": options, "config": profile.Config(),
		"holder": holder{*f, f, profile, settings, options, *f, []any{f, profile}, map[string]any{"k": *f}},
	}
}

func TestSecretsDontShow(t *testing.T) {
	scan := func(how, output string) {
		t.Helper()
		for _, form := range []string{"zzz", "7a7a7a", "7A7A7A", "122 122 122", "0x7a, 0x7a", "7a 7a", "7A 7A"} { // as text and as bytes
			if strings.Contains(output, form) {
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
	if which := os.Getenv("SHSESSION_TEST_PANIC"); which != "" {
		values := secretHolders(t)
		values["error"] = fmt.Errorf("with %v, %+v and %#v", values["file"], values["profile"], values["holder"])
		panic(values[which])
	}
	for which := range secretHolders(t) {
		checkPanic(t, which)
	}
	checkPanic(t, "error")
}

func checkPanic(t *testing.T, which string) {
	t.Helper()
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
