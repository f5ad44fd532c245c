package testkit_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

const secret = "a-secret-zzz"

// redacted shows nothing of itself, if its methods are asked.
type redacted struct{ reveal func() string }

func (redacted) Format(f fmt.State, _ rune) { fmt.Fprint(f, "redacted") }

func (redacted) LogValue() slog.Value { return slog.StringValue("redacted") }

func (redacted) MarshalText() ([]byte, error) { return []byte("redacted"), nil }

func (redacted) GobEncode() ([]byte, error) { return []byte("redacted"), nil }

// These show their secret in one way each.
type (
	inJSON struct{ redacted }
	inXML  struct{ redacted }
	inGob  struct{ redacted }
	inSlog struct{ redacted }
	inVerb struct {
		redacted
		verb rune
	}
	inField struct {
		redacted
		secret string
	}
)

func (inJSON) MarshalJSON() ([]byte, error) { return json.Marshal(secret) }

func (inXML) MarshalText() ([]byte, error) { return []byte(secret), nil }

func (inXML) MarshalJSON() ([]byte, error) { return []byte(`"redacted"`), nil }

func (inGob) GobEncode() ([]byte, error) { return []byte(secret), nil }

func (inSlog) LogValue() slog.Value { return slog.StringValue(secret) }

func (v inVerb) Format(f fmt.State, verb rune) {
	if verb == v.verb {
		fmt.Fprint(f, secret)
	}
}

// A verdict is a test that remembers what is wrong.
type verdict struct {
	testing.TB
	errors []string
}

func (v *verdict) Helper() {}

func (v *verdict) Errorf(format string, args ...any) {
	v.errors = append(v.errors, fmt.Sprintf(format, args...))
}

func TestScan(t *testing.T) {
	for name, test := range map[string]struct {
		value any
		how   string // what the first words of a finding are; "" for no finding
	}{
		"nothing":           {redacted{func() string { return secret }}, ""},
		"JSON":              {inJSON{}, "JSON of the value"},
		"XML":               {inXML{}, "XML of the value"},
		"gob":               {inGob{}, "gob of the value"},
		"slog":              {inSlog{}, "slog of the value"},
		"a verb":            {inVerb{verb: 'd'}, "%d of the value"},
		"an unexported one": {inField{secret: secret}, "%v of the value, as a struct { v"},
		"text":              {secret, "%s of the value"},
		"bytes in decimal":  {[]byte(secret), "%d of the value"},
		"bytes, Go":         {[]byte(secret), "%#v of the value"},
		"bytes in hex":      {[]byte(secret), "%x of the value"},
		"bytes in HEX":      {[]byte(secret), "%X of the value"},
		"bytes in a list":   {[]any{byte('z'), byte('z'), byte('z')}, "%x of the value"},
		"bytes in a LIST":   {[]any{byte('z'), byte('z'), byte('z')}, "%X of the value"},
	} {
		t.Run(name, func(t *testing.T) {
			v := &verdict{TB: t}
			testkit.ScanSecrets(v, map[string]any{"value": test.value}, "no such text", "zzz")
			if test.how == "" {
				if len(v.errors) > 0 {
					t.Errorf("found %q", v.errors)
				}
				return
			}
			for _, found := range v.errors {
				if strings.HasPrefix(found, test.how) {
					return
				}
			}
			t.Errorf("didn't find it: %q", v.errors)
		})
	}
}

func TestScanPanics(t *testing.T) {
	v := &verdict{TB: t}
	testkit.ScanPanics(v, map[string]any{"value": redacted{}, "error": errors.New(secret)}, "zzz")
	slices.Sort(v.errors)
	want := []string{"a panic with the error made with all shows a secret", "a panic with the error shows a secret"}
	if !slices.Equal(v.errors, want) {
		t.Errorf("found %q", v.errors)
	}
}
