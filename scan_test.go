package shsession_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/shsession/shsession"
)

// FuzzScanObject compares the scanner with encoding/json: what is an object, its keys,
// and its values as they stand.
func FuzzScanObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "a" : [1, -2.5e+3, true, null, {"b":"\\u00e9\\n"}] } `, `{"a":1,"a":2}`, `{"\\u0061":"é"}`,
		`{"a":01}`, `{"a":.5}`, `{"a":1.}`, `{"a":"\x01"}`, `{"a":"\\x"}`, `{"a":1,}`, `[1]`, `null`, `{"a":"\xff"}`, `{"\xff":-0}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := map[string]string{}
		ok := shsession.ScanObject(text, func(key, value string) { got[key] = value })
		var want map[string]json.RawMessage
		if wantOK := json.Unmarshal([]byte(text), &want) == nil && want != nil; ok != wantOK {
			t.Fatalf("%q: scanned as an object: %v, want %v", text, ok, wantOK)
		}
		if !ok {
			return
		}
		if len(got) != len(want) {
			t.Errorf("%q: %d keys, want %d", text, len(got), len(want))
		}
		for key, value := range want {
			if got[key] != string(value) {
				t.Errorf("%q: %q is %q, want %q", text, key, got[key], value)
			}
		}
	})
}

func TestScanObjectIsBounded(t *testing.T) {
	for depth, want := range map[int]bool{9999: true, 10001: false} {
		text := `{"a":` + strings.Repeat("[", depth-1) + strings.Repeat("]", depth-1) + `}`
		if got := shsession.ScanObject(text, func(string, string) {}); got != want {
			t.Errorf("depth %d: %v, want %v", depth, got, want)
		}
	}
}

// Text that is all escapes takes no longer than its length.
func BenchmarkParseEscapes(b *testing.B) {
	text := []byte(`{"access_token":"` + strings.Repeat(`\n\"`, 200_000) + `","expires_at":1}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := shsession.ParseToken(text); err == nil {
			b.Fatal("a token of line ends")
		}
	}
}

func BenchmarkParseToken(b *testing.B) {
	text := []byte(`{"access_token":"` + strings.Repeat("x", 1300) + `","expires_in":3599,"refresh_expires_in":0,"token_type":"Bearer","expires_at":1732300000.25}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := shsession.ParseToken(text); err != nil {
			b.Fatal(err)
		}
	}
}
