package shconfig

import "unicode/utf8"

// nearest is the candidate that word is most likely a misspelling of, or "" if
// more than a third of it, and more than two characters, would have to change.
func nearest(word string, candidates []string) string {
	limit := max(2, utf8.RuneCountInString(word)/3)
	best, bestDistance := "", limit+1
	for _, c := range candidates {
		if d := editDistance([]rune(word), []rune(c)); d < bestDistance && d < utf8.RuneCountInString(c) {
			best, bestDistance = c, d
		}
	}
	return best
}

// editDistance is Levenshtein's: insertions, deletions and substitutions.
func editDistance(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, ca := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, cb := range b {
			cost := 1
			if ca == cb {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
