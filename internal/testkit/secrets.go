package testkit

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A holder has a value where its methods are called, and where they aren't: in an unexported field.
type holder struct {
	Open   any
	List   []any
	Map    map[string]any
	hidden any
}

// around returns a value alone and inside others.
func around(v any) []any {
	h := holder{v, []any{v}, map[string]any{"k": v}, v}
	return []any{v, &v, []any{v}, map[string]any{"k": v}, struct{ V any }{v}, struct{ v any }{v}, h, &h}
}

// ScanSecrets fails the test for every way in which a value shows one of the texts, as text or as bytes in hexadecimal or decimal
// digits. Each value, by its name, is printed with fmt's verbs, encoded as JSON, XML and gob where that can be done, and
// logged by slog, alone and inside other values, in unexported fields too. The texts, which may be parts of secrets, should
// be so long that they don't come up by chance, as in an address: three characters at least.
func ScanSecrets(t testing.TB, values map[string]any, texts ...string) {
	t.Helper()
	var forms []string
	for _, text := range texts {
		b := []byte(text)
		forms = append(forms, text, fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), fmt.Sprintf("% x", b), fmt.Sprintf("% X", b),
			strings.Trim(fmt.Sprint(b), "[]"), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"))
	}
	for name, plain := range values {
		for _, v := range around(plain) {
			for how, output := range outputs(v) {
				for _, form := range forms {
					if strings.Contains(output, form) {
						t.Errorf("%s of the %s, as a %T, shows a secret", how, name, v)
						break
					}
				}
			}
		}
	}
}

// outputs returns what is to be seen of a value, by how it is looked at.
func outputs(v any) map[string]string {
	all := map[string]string{
		"Sprint": fmt.Sprint(v) + fmt.Sprintln(v) + fmt.Errorf("error: %v", v).Error(),
		"slog":   logged(v),
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10.3v", "%t"} {
		all[verb] = fmt.Sprintf(verb, v)
	}
	if text, err := json.Marshal(v); err == nil {
		all["JSON"] = string(text)
	}
	if text, err := xml.Marshal(v); err == nil {
		all["XML"] = string(text)
	}
	var buf bytes.Buffer
	if gob.NewEncoder(&buf).Encode(v) == nil {
		all["gob"] = buf.String()
	}
	return all
}

// logged returns what slog's handlers write of a value: as an attribute, in a group and in a list.
func logged(v any) string {
	var buf strings.Builder
	for _, handler := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		logger := slog.New(handler)
		logger.Info("message", "value", v, slog.Group("group", "nested", v))
		logger.With("with", v).WithGroup("g").Info("message", "values", []any{v})
	}
	return buf.String()
}

// panicVariable tells a child of a test which value it is to panic with.
const panicVariable = "SHSESSION_TEST_PANIC"

// ScanPanics fails the test for every value whose panic shows the text, and if that of an error does which was made with all
// of them. It runs the test again, which must be one at the top level, in a process for each panic: the values are made
// anew there, under the same names and with the same text in them.
func ScanPanics(t testing.TB, values map[string]any, text string) {
	t.Helper()
	var made []error
	for _, v := range values {
		made = append(made, fmt.Errorf("with %v, %+v and %#v", v, v, v))
	}
	values = maps.Clone(values)
	values["error made with all"] = errors.Join(made...)
	if which, isChild := os.LookupEnv(panicVariable); isChild {
		v, ok := values[which]
		if !ok {
			t.Fatalf("there is no %s here", which)
		}
		panic(v)
	}
	for which := range values {
		cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = append(os.Environ(), panicVariable+"="+which, "GORACE=atexit_sleep_ms=0")
		output, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(output, []byte("panic: ")) {
			t.Fatalf("%s: no panic: %s", which, output)
		}
		if bytes.Contains(output, []byte(text)) {
			t.Errorf("a panic with the %s shows a secret", which)
		}
	}
}
