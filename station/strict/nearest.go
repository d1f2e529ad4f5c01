package strict

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest returns the known name that was most likely meant by name, or "" when none is near: at most a third
// of the letters wrong, missing, added or swapped with their neighbour.
func Nearest(name string, known []string) string {
	const longest = 64 // no name that anybody mistypes is longer; bounds the work
	if len(name) > longest {
		return ""
	}
	best, least := "", 1<<30
	for _, k := range known {
		allowed := max(1, max(len([]rune(name)), len([]rune(k)))/3)
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d <= allowed && d < least {
			best, least = k, d
		}
	}
	return best
}

// Texts returns words of a kind of their own as texts, as Nearest and DidYouMean take them.
func Texts[T ~string](words []T) []string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return texts
}

// DidYouMean returns a hint for an unknown name: the nearest known one, else all that are known.
func DidYouMean(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	if len(known) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(known))
	return "known: " + strings.Join(sorted, ", ")
}

// distance counts the edits between two names: a letter put in, left out, changed, or swapped with the next
// (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
