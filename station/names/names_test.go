package names

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// TestMayBeOne: names of the four languages, each in the ways in which people and keyboards write it.
func TestMayBeOne(t *testing.T) {
	for _, one := range [][]string{
		{"Müller", "Mu\u0308ller", "müller", "MÜLLER", " Müller", "Müller ", "ＭÜLLER"},
		{"Strauß", "Strauss", "STRAUSS", "STRAUẞ", "strauſs"},
		{"Jean-Luc d’Œuvre", "jean\u2011luc d'œuvre", "Jean–Luc d´Œuvre", "Jean-Luc  d`Œuvre", "Jean-Luc\u00a0dʼŒuvre"},
		{"Chloë", "Chloe\u0308", "CHLOË"},
		{"Shpëtim Çoçoli", "Shpe\u0308tim C\u0327oc\u0327oli", "SHPËTIM ÇOÇOLI"},
		{"Đorđe Njegoš", "Ђорђе Његош", "Ðorđe Njegoš", "ĐORĐE NJEGOŠ", "Đorđe ǋegoš", "Đorđe Njegos\u030c"},
		{"Марко Џамбас", "Marko Džambas", "Marko ǅambas"},
		{"Assessor", "Аssessor", "Αssessor", "Assess\u043er", "Assessor\t"},
		{"Rex ❤️", "rex ❤"},
	} {
		for _, a := range one {
			for _, b := range one {
				if !MayBeOne(a, b) {
					t.Errorf("%q and %q are read as two: %q %q, %q %q", a, b, Fold(a), Fold(b), shape(a), shape(b))
				}
			}
		}
	}
	for _, two := range [][2]string{
		{"Strauß", "Strasse"}, {"Müller", "Muller"}, {"Müller", "Mueller"}, {"Ana Berg", "Anna Berg"}, {"Ana Berg", "Anaberg"},
		{"Jean-Luc", "Jean Luc"}, {"Ada", ""}, {"Ada 1", "Ada 2"}, {"Petrić", "Petrič"}, {"Đorđe", "Dorde"},
	} {
		if MayBeOne(two[0], two[1]) {
			t.Errorf("%q and %q are read as one", two[0], two[1])
		}
	}
}

// TestOneIsOne: a name may be that of the same person however it is composed, and the comparison goes both ways.
func TestOneIsOne(t *testing.T) {
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("aZüÜßžŽđЂжÇë-’ éњǆ\u0301\u0327ﬁ①")), 1, 12, -1)
	rapid.Check(t, func(rt *rapid.T) {
		a, b := letters.Draw(rt, "a"), letters.Draw(rt, "b")
		for name, form := range map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD} {
			if !MayBeOne(a, form.String(a)) {
				rt.Errorf("%q and its %s %q", a, name, form.String(a))
			}
		}
		if MayBeOne(a, b) != MayBeOne(b, a) {
			rt.Errorf("%q and %q: one way only", a, b)
		}
		if again := Fold(Fold(a)); again != Fold(a) {
			rt.Errorf("%q folds to %q, and that to %q", a, Fold(a), again)
		}
	})
}

func TestNearest(t *testing.T) {
	known := []string{"Handler", "Assessor", "Jürgen Groß", "Đorđe Petrović", "Chloë d’Arc", "Shpëtim Çoçoli", "Li"}
	for typed, want := range map[string]string{
		"Hanlder": "Handler", "handler": "Handler", "Asessor": "Assessor", "Assessor ": "Assessor", "Jurgen Gross": "Jürgen Groß",
		"Ђорђе Петровић": "Đorđe Petrović", "Dorde Petrovic": "Đorđe Petrović", "Chloe d'Arc": "Chloë d’Arc", "Shpetim Cocoli": "Shpëtim Çoçoli",
		"Lo": "Li", "Bob": "", "": "", "Rexine": "",
	} {
		if got := Nearest(typed, known); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	if got := Nearest("Ada", nil); got != "" {
		t.Errorf("of none: %q", got)
	}
}

func TestCheck(t *testing.T) {
	for name, want := range map[string]Fault{
		"Ada": "", "Ђурђа Petrović": "", "Ada ": Edged, "\u00a0Ada": Edged, "A\nda": Unseen, "Ada\u200b": Unseen, "\u202eadA": Unseen,
		strings.Repeat("ü", Most): "", strings.Repeat("ü", Most+1): TooLong,
	} {
		if got := Check(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
