package display

import (
	"strings"
	"unicode/utf8"
)

// Wrap returns text with its paragraphs broken into lines of at most width characters, but for
// longer words. An empty line ends a paragraph. Indented lines stay as they are.
func Wrap(text string, width int) string {
	var out strings.Builder
	column := 0 // of the paragraph's last line, 0 outside a paragraph
	end := func() {
		if column > 0 {
			out.WriteByte('\n')
		}
		column = 0
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if line == "" || strings.TrimLeft(line, " \t") != line {
			end()
			out.WriteString(line + "\n")
			continue
		}
		for _, word := range strings.Fields(line) {
			n := utf8.RuneCountInString(word)
			switch {
			case column > 0 && column+1+n > width:
				end()
			case column > 0:
				out.WriteByte(' ')
				column++
			}
			out.WriteString(word)
			column += n
		}
	}
	end()
	return strings.TrimRight(out.String(), "\n")
}
