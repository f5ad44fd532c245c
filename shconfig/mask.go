package shconfig

import "strings"

// Mask hides a credential behind asterisks, one for each character, and leaves at
// most the last four: of a value of ten characters or fewer it leaves none
// (SHConfig._mask_credentials).
func Mask(value string) string {
	chars := []rune(value)
	hidden := min(max(len(chars)-4, 10), len(chars))
	return strings.Repeat("*", hidden) + string(chars[hidden:])
}
