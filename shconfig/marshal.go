package shconfig

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/pelletier/go-toml/v2"
)

// marshal writes a whole document, and makes sure that it says what data says.
func marshal(path string, data map[string]any) ([]byte, error) {
	raw, err := toml.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("%s can't be written: %w", path, err)
	}
	if got, err := parse(path, raw); err != nil || !sameValue(got, data) {
		return nil, fmt.Errorf("%s can't be changed without losing something: edit it by hand", path)
	}
	return raw, nil
}

// appendText puts a profile at the end of the text of a document, which doesn't have it.
func appendText(path string, raw []byte, profile string, values map[string]any) ([]byte, error) {
	text, err := marshal(path, map[string]any{profile: values})
	if err != nil {
		return nil, err
	}
	eol := lineEnd(raw)
	edited := slices.Clone(raw)
	if len(raw) > 0 && !bytes.HasSuffix(raw, []byte("\n")) {
		edited = append(edited, eol...)
	}
	if len(raw) > 0 {
		edited = append(edited, eol...)
	}
	return append(edited, bytes.ReplaceAll(text, []byte("\n"), []byte(eol))...), nil
}

// sameValue compares decoded documents. It is reflect.DeepEqual, but a NaN is
// itself, and two times are the same if they are written the same.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, value := range a {
			if other, ok := b[key]; !ok || !sameValue(value, other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !sameValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || math.IsNaN(a) && math.IsNaN(b))
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.Format(time.RFC3339Nano) == b.Format(time.RFC3339Nano)
	default:
		return reflect.DeepEqual(a, b)
	}
}
