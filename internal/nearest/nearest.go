// Package nearest finds what was probably meant by a word that is misspelt.
package nearest

import "unicode/utf8"

// To returns the candidate that word is most likely a misspelling of, the first of several, or
// "" if more than a third of it, and more than two characters, would have to change. Two words
// that have nothing in common are never near.
func To(word string, candidates []string) string {
	length := utf8.RuneCountInString(word)
	best, bestDistance := "", max(2, length/3)+1
	for _, c := range candidates {
		if d := distance([]rune(word), []rune(c)); d < bestDistance && d < min(length, utf8.RuneCountInString(c)) {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is Levenshtein's: insertions, deletions and substitutions.
func distance(a, b []rune) int {
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
