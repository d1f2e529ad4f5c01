package signs

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestUnseen(t *testing.T) {
	for _, text := range []string{
		"", "Rex", "Jürgen Groß", "Ju\u0308rgen", "Chloë d’Arc-Œuvre", "Shpëtim Çoçoli", "Ђурђа Petrović-Njegoš", "Ana\u00a0Berg",
		"n° 5 (2 × 3) – “ok” €", "heart ❤️ and 👨‍👩‍👧, 👍🏽",
	} {
		if sign, at, found := Unseen(text, false); found {
			t.Errorf("%q: %U at %d", text, sign, at)
		}
	}
	for name, sign := range map[string]string{
		"null": "\x00", "escape": "\x1b", "delete": "\x7f", "next line": "\u0085", "newline": "\n", "tab": "\t",
		"soft hyphen": "\u00ad", "grapheme joiner": "\u034f", "arabic letter mark": "\u061c", "hangul filler": "\u3164",
		"mongolian separator": "\u180e", "zero-width space": "\u200b", "non-joiner": "\u200c", "joiner": "\u200d", "left to right": "\u200e",
		"right to left": "\u200f", "line separator": "\u2028", "override": "\u202e", "embedding": "\u202a", "word joiner": "\u2060",
		"isolate": "\u2066", "pop isolate": "\u2069", "byte order mark": "\ufeff", "braille blank": "\u2800", "variation": "\ufe0f",
		"ideographic variation": "\U000e0100", "tag": "\U000e0041", "private": "\ue000", "unassigned": "\u0378", "noncharacter": "\uffff",
		"no UTF-8": "\xff", "annotation": "\ufff9", "musical beam": "\U0001d173",
	} {
		for _, text := range []string{sign, "Ada" + sign, sign + "Ada", "A" + sign + "da"} {
			want := strings.Index(text, sign)
			if _, at, found := Unseen(text, false); !found || at != want {
				t.Errorf("%s in %q: found %v at %d, want %d", name, text, found, at, want)
			}
		}
	}
	if _, _, found := Unseen("two\r\n\tlines", true); found {
		t.Error("lines are refused where they may be")
	}
	if sign, at, found := Unseen("a ❤\n\ufe0f", true); !found || sign != '\ufe0f' || at != 6 {
		t.Errorf("a style on a line of its own: %U at %d, %v", sign, at, found)
	}
}

// TestWhatIsFoundIsNotToBeSeen: a sign that is taken is a letter, a mark, a number, punctuation, a symbol or a space, or shapes
// a symbol.
func TestWhatIsFoundIsNotToBeSeen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.String().Draw(rt, "text")
		_, at, found := Unseen(text, false)
		if !found {
			at = len(text)
		}
		for _, r := range text[:at] {
			if !unicode.IsGraphic(r) && r != joiner {
				rt.Errorf("%q: %U was not found", text, r)
			}
		}
	})
}
