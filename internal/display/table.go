package display

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"golang.org/x/term"
)

// Table writes rows in columns, below the header if there is one. Where out is a terminal that is
// too narrow for that, each row is written as lines: its first cell, and the others that aren't empty below it.
func Table(out io.Writer, header []string, rows [][]string) error {
	text := columns(header, rows)
	if width := Width(out); width > 0 && longestLine(text) > width {
		text = stacked(header, rows)
	}
	_, err := io.WriteString(out, text)
	return err
}

// columns returns the table.
func columns(header []string, rows [][]string) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	if header != nil {
		fmt.Fprintln(w, strings.Join(header, "\t"))
	}
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush() // a strings.Builder doesn't fail
	return text.String()
}

// stacked returns the rows as lines, each cell with its name from the header.
func stacked(header []string, rows [][]string) string {
	names := 0
	for _, name := range header {
		names = max(names, utf8.RuneCountInString(name)+2)
	}
	var text strings.Builder
	for _, row := range rows {
		text.WriteString(row[0] + "\n")
		for i, cell := range row[1:] {
			if cell == "" {
				continue
			}
			name := ""
			if header != nil {
				name = header[i+1]
			}
			fmt.Fprintf(&text, "  %-*s%s\n", names, name, cell)
		}
	}
	return text.String()
}

func longestLine(text string) int {
	longest := 0
	for line := range strings.Lines(text) {
		longest = max(longest, utf8.RuneCountInString(strings.TrimRight(line, "\n")))
	}
	return longest
}

// Width returns the width of a terminal in cells, 0 if out is none.
func Width(out io.Writer) int {
	file, ok := out.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
