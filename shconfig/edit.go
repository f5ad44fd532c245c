package shconfig

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// span is a range of bytes of a document: from start up to, not including, end.
type span struct{ start, end int }

// entry is one `key = value`.
type entry struct {
	key  []string
	text span // from the key to the value's end
	line span // the whole lines it stands on
}

// section is a table header and the entries under it. The first section of a
// document has no header: it holds the entries before the first one.
type section struct {
	name    []string
	isArray bool // [[name]]
	line    span // of the header
	entries []entry
}

// content is where the last entry ends, or the header if there is none. What
// follows up to the next section is blank lines and comments.
func (s section) contentEnd() int {
	if n := len(s.entries); n > 0 {
		return s.entries[n-1].line.end
	}
	return s.line.end
}

// sections finds the headers and entries of a valid document.
func sections(raw []byte) []section {
	found := []section{{}}
	var p unstable.Parser
	p.Reset(raw)
	for p.NextExpression() {
		node := p.Expression()
		names, keys := keyOf(node)
		if node.Kind == unstable.KeyValue {
			text := span{int(node.Raw.Offset), int(node.Raw.Offset + node.Raw.Length)}
			last := &found[len(found)-1]
			last.entries = append(last.entries, entry{names, text, lines(raw, text)})
			continue
		}
		found = append(found, section{name: names, isArray: node.Kind == unstable.ArrayTable, line: lines(raw, keys)})
	}
	return found
}

// keyOf is the dotted key of an expression, and where it stands.
func keyOf(node *unstable.Node) (names []string, at span) {
	for it := node.Key(); it.Next(); {
		key := it.Node()
		if len(names) == 0 {
			at.start = int(key.Raw.Offset)
		}
		at.end = int(key.Raw.Offset + key.Raw.Length)
		names = append(names, string(key.Data))
	}
	return names, at
}

// lines widens a span to whole lines, with the last line's end.
func lines(raw []byte, s span) span {
	s.start = bytes.LastIndexByte(raw[:s.start], '\n') + 1
	if i := bytes.IndexByte(raw[s.end:], '\n'); i >= 0 {
		s.end += i + 1
	} else {
		s.end = len(raw)
	}
	return s
}

// edit replaces a span by text.
type edit struct {
	span
	text string
}

// apply makes edits that do not overlap.
func apply(raw []byte, edits []edit) []byte {
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var out []byte
	done := 0
	for _, e := range edits {
		out = append(append(out, raw[done:e.start]...), e.text...)
		done = e.end
	}
	return append(out, raw[done:]...)
}

// setText makes the changes to a profile in the text of a document. It knows
// profiles that stand under a header of their own, and adds one if there is
// none; the caller checks that the result means what it should.
func setText(raw []byte, profile string, changes []change) []byte {
	eol := lineEnd(raw)
	all := sections(raw)
	i := slices.IndexFunc(all, func(s section) bool {
		return !s.isArray && slices.Equal(s.name, []string{profile})
	})
	var added strings.Builder
	at := len(raw)
	var edits []edit
	if i < 0 {
		if len(raw) > 0 {
			added.WriteString(eol)
		}
		fmt.Fprintf(&added, "[%s]%s", tomlKey(profile), eol)
	} else {
		at = all[i].contentEnd()
		edits, changes = inPlace(all[i], changes)
	}
	for _, c := range changes {
		if c.value != nil {
			added.WriteString(assignment(c) + eol)
		}
	}
	if added.Len() > 0 {
		text := added.String()
		if at > 0 && raw[at-1] != '\n' {
			text = eol + text
		}
		edits = append(edits, edit{span{at, at}, text})
	}
	return apply(raw, edits)
}

// lineEnd is how the lines of a document end.
func lineEnd(raw []byte) string {
	if bytes.Contains(raw, []byte("\r\n")) {
		return "\r\n"
	}
	return "\n"
}

// inPlace makes the changes to keys that the section has, and returns the others.
func inPlace(s section, changes []change) (edits []edit, rest []change) {
	for _, c := range changes {
		i := slices.IndexFunc(s.entries, func(e entry) bool { return slices.Equal(e.key, []string{string(c.key)}) })
		switch {
		case i < 0:
			rest = append(rest, c)
		case c.value == nil:
			edits = append(edits, edit{s.entries[i].line, ""})
		default:
			edits = append(edits, edit{s.entries[i].text, assignment(c)})
		}
	}
	return edits, rest
}

// removeText takes a profile out of the text of a document: its table, the tables
// inside it, and entries at the top with its name before the dot. If the table is the
// last one, the blank line that setText put before it goes too.
func removeText(raw []byte, profile string) []byte {
	var edits []edit
	all := sections(raw)
	for _, e := range all[0].entries {
		if e.key[0] == profile {
			edits = append(edits, edit{e.line, ""})
		}
	}
	for i := 1; i < len(all); i++ {
		if all[i].name[0] != profile {
			continue
		}
		floor := all[i-1].contentEnd()
		start, end := commentAbove(raw, floor, all[i].line.start), len(raw)
		for i+1 < len(all) && all[i+1].name[0] == profile {
			i++
		}
		if i+1 < len(all) {
			end = commentAbove(raw, all[i].contentEnd(), all[i+1].line.start)
		} else {
			start = blankAbove(raw, floor, start)
		}
		edits = append(edits, edit{span{start, end}, ""})
	}
	return apply(raw, edits)
}

// blankAbove is where the blank line directly above start begins, or start itself if there
// is none after floor.
func blankAbove(raw []byte, floor, start int) int {
	if start <= floor {
		return start
	}
	above := lines(raw, span{start - 1, start - 1}).start
	if above < floor || len(bytes.TrimSpace(raw[above:start])) > 0 {
		return start
	}
	return above
}

// commentAbove is where the comment lines directly above start begin, at floor
// at the earliest, or start itself if there are none.
func commentAbove(raw []byte, floor, start int) int {
	for start > floor {
		above := lines(raw, span{start - 1, start - 1}).start
		if above < floor || !bytes.HasPrefix(bytes.TrimLeft(raw[above:start], " \t"), []byte("#")) {
			break
		}
		start = above
	}
	return start
}

// assignment is `key = value`.
func assignment(c change) string {
	key := string(c.key) + " = "
	switch v := c.value.(type) {
	case int64:
		return key + strconv.FormatInt(v, 10)
	case float64:
		text := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(text, ".") {
			text += ".0" // Python's float; an int would do as well
		}
		return key + text
	default:
		return key + quoteTOML(v.(string))
	}
}

// tomlKey is a key of TOML, in quotes if it has to be.
func tomlKey(name string) string {
	bare := strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == ""
	if bare && name != "" {
		return name
	}
	return quoteTOML(name)
}
