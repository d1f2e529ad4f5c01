// Package signs finds the signs of a text that no reader sees, or that turn the text before a reader's eyes.
package signs

import "unicode"

// The signs that shape the symbol before them, as in ❤️. Without a symbol before them no reader sees them.
const (
	textStyle  = '\uFE0E'
	emojiStyle = '\uFE0F'
	joiner     = '\u200D'
)

// ByteOrderMark is what some editors write before a text. There it is no part of it, and whoever reads a file drops it.
const ByteOrderMark = "\uFEFF"

// brailleBlank counts as a graphic sign in Unicode, and shows nothing.
const brailleBlank = '\u2800'

// Unseen returns the first sign of a text that no reader sees, or that changes the direction of others, and its offset in
// bytes: control characters, format characters such as a zero-width space or a right-to-left override, variation selectors
// away from a symbol, fillers, unassigned and private signs, and what is no UTF-8. With lines a newline, a carriage return
// and a tab are none of them.
func Unseen(text string, lines bool) (sign rune, at int, found bool) {
	symbol := false // a symbol stands before, which signs of style may shape
	for at, r := range text {
		switch {
		case lines && (r == '\n' || r == '\r' || r == '\t'):
			symbol = false
		case symbol && (r == textStyle || r == emojiStyle || r == joiner):
		case !unicode.IsGraphic(r), r == unicode.ReplacementChar, r == brailleBlank,
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector):
			return r, at, true
		default:
			symbol = unicode.In(r, unicode.So, unicode.Sk)
		}
	}
	return 0, 0, false
}
