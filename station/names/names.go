// Package names compares the names of people and dogs as people read them.
//
// It never says that two names are of one person: Strauß and Strauss may be two. It says that they may be one, for those who
// must keep two roles apart, and which known name is the nearest to one that was typed.
package names

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"scentpost/station/signs"
	"scentpost/station/strict"
)

// Most is how many characters a name may have.
const Most = 100

// Fault is what is wrong with a name as a text, "" for nothing.
type Fault string

// The faults of a name.
const (
	TooLong Fault = "too-long" // more than Most characters
	Edged   Fault = "edged"    // begins or ends with a space
	Unseen  Fault = "unseen"   // has a sign that no reader sees, or more than one line; see package signs
)

// Check returns what is wrong with a name.
func Check(name string) Fault {
	if _, _, found := signs.Unseen(name, false); found {
		return Unseen
	}
	switch {
	case len([]rune(name)) > Most:
		return TooLong
	case strings.TrimSpace(name) != name:
		return Edged
	}
	return ""
}

// MayBeOne tells whether two names may be those of one person: a reader cannot tell them apart, or takes one for a way to
// write the other.
func MayBeOne(a, b string) bool { return Read(a).MayBe(Read(b)) }

// Reading is a name as people read it, for those who compare many.
type Reading struct{ fold, shape string }

// Read returns how a name is read.
func Read(name string) Reading { return Reading{Fold(name), shape(name)} }

// MayBe is MayBeOne.
func (r Reading) MayBe(other Reading) bool { return r.fold == other.fold || r.shape == other.shape }

// Fold returns a name in the form in which it is compared: composed, without a difference between upper and lower case,
// between ß and ss, between spaces, hyphens or apostrophes of several kinds, or between the two scripts of Serbian. Two names
// that differ in accents differ: Müller is not Muller.
func Fold(name string) string {
	var out strings.Builder
	for _, r := range plain(name) {
		if latin, is := serbian[r]; is {
			out.WriteString(latin)
			continue
		}
		out.WriteRune(r)
	}
	return norm.NFC.String(out.String())
}

// plain is a name without the differences that no reader counts.
func plain(name string) string {
	composed := norm.NFKC.String(strings.Map(mark, name))
	var out strings.Builder
	for _, r := range composed {
		switch r = unicode.ToLower(unicode.ToUpper(r)); r { // a final sigma and a long s as well
		case 'ß':
			out.WriteString("ss")
		case 'ð', 'ɖ': // their capitals look like Đ, and few keyboards have all three
			out.WriteRune('đ')
		default:
			out.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(norm.NFKC.String(out.String())), " ")
}

// apostrophes are those that people type.
const apostrophes = "’‘ʼʻ´`′＇"

// mark puts one hyphen and one apostrophe in the place of all, and leaves out what only shapes a symbol. It comes before the
// composition, which makes a space and an accent of some.
func mark(r rune) rune {
	switch {
	case unicode.Is(unicode.Pd, r), r == '−':
		return '-'
	case strings.ContainsRune(apostrophes, r):
		return '\''
	case unicode.In(r, unicode.Variation_Selector, unicode.Join_Control):
		return -1
	}
	return r
}

// serbian are the letters of the Cyrillic alphabet of Serbian with their Latin ones, in lower case.
var serbian = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'ђ': "đ", 'е': "e", 'ж': "ž", 'з': "z", 'и': "i", 'ј': "j", 'к': "k",
	'л': "l", 'љ': "lj", 'м': "m", 'н': "n", 'њ': "nj", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'ћ': "ć", 'у': "u",
	'ф': "f", 'х': "h", 'ц': "c", 'ч': "č", 'џ': "dž", 'ш': "š",
}

// shape is a name with a Latin letter in the place of each Cyrillic or Greek one that looks like it.
func shape(name string) string {
	return strings.Map(func(r rune) rune {
		if alike, known := shapes[r]; known {
			return alike
		}
		return r
	}, plain(name))
}

// shapes are the letters that look like a Latin one as capitals, or as small letters, in lower case.
var shapes = map[rune]rune{
	// Cyrillic
	'а': 'a', 'в': 'b', 'е': 'e', 'ѕ': 's', 'і': 'i', 'ј': 'j', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o', 'р': 'p', 'с': 'c',
	'т': 't', 'у': 'y', 'х': 'x', 'һ': 'h', 'ԁ': 'd', 'ԛ': 'q', 'ԝ': 'w',
	// Greek
	'α': 'a', 'β': 'b', 'ε': 'e', 'ζ': 'z', 'η': 'h', 'ι': 'i', 'κ': 'k', 'μ': 'm', 'ν': 'n', 'ο': 'o', 'ρ': 'p', 'τ': 't',
	'υ': 'y', 'χ': 'x',
}

// Nearest returns the known name that somebody who typed name most likely meant, "" where none is near: one that may be the
// same, else the nearest by its letters without accents.
func Nearest(name string, known []string) string {
	bares, typed := make([]string, len(known)), Read(name)
	for i, k := range known {
		if typed.MayBe(Read(k)) {
			return k
		}
		bares[i] = bare(k)
	}
	near := strict.Nearest(bare(name), bares)
	for i, b := range bares {
		if near != "" && b == near {
			return known[i]
		}
	}
	return ""
}

// bare is a name without case and accents, which are left out first by somebody in a hurry.
func bare(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ':
			return 'd'
		}
		return r
	}, norm.NFD.String(Fold(name)))
}
