package score

import (
	"slices"
	"strings"

	"scentpost/station/strict"
)

// The columns of a table of counts, by the names that this program writes.
const (
	labelColumn = "label"
	hits        = "tp"
	misses      = "fn"
	falseAlerts = "fp"
	rejections  = "tn"
	// otherColumn stands for a column that is not one of these.
	otherColumn = ""
)

// columns are the columns of a table of counts.
var columns = []string{labelColumn, hits, misses, falseAlerts, rejections}

// columnsHint is said where a column cannot be recognised.
const columnsHint = "the columns are label,tp,fn,fp,tn, or in words: hit, miss, false alarm, correct rejection"

// longNames are what people call a count in words, folded. No word stands for two counts.
var longNames = map[string][]string{
	hits: {
		"true positive", "true positives", "hit", "hits", "correct alert", "correct alerts",
		"richtig positiv", "treffer", "vrai positif", "vrais positifs", "détection correcte",
		"verdadero positivo", "verdaderos positivos", "acierto", "aciertos",
		"pozitiv i vërtetë", "gjetje", "gjetje e saktë",
		"istinski pozitivan", "stvarno pozitivan", "pogodak", "pogoci", "истински позитиван", "стварно позитиван", "погодак", "погоци",
	},
	misses: {
		"false negative", "false negatives", "miss", "misses", "missed",
		"falsch negativ", "verpasst", "auslassung", "faux négatif", "faux négatifs", "omission", "omissions", "manqué",
		"falso negativo", "falsos negativos", "omisión", "omisiones",
		"negativ i rremë", "humbje", "mosgjetje",
		"lažno negativan", "promašaj", "promašaji", "лажно негативан", "промашај", "промашаји",
	},
	falseAlerts: {
		"false positive", "false positives", "false alarm", "false alarms", "false alert", "false alerts",
		"falsch positiv", "falscher alarm", "fehlalarm", "fehlalarme", "faux positif", "faux positifs", "fausse alarme", "fausse alerte", "fausses alertes",
		"falso positivo", "falsos positivos", "falsa alarma", "falsas alarmas",
		"pozitiv i rremë", "alarm i rremë",
		"lažno pozitivan", "lažna uzbuna", "lažan alarm", "лажно позитиван", "лажна узбуна", "лажан аларм",
	},
	rejections: {
		"true negative", "true negatives", "correct rejection", "correct rejections", "correct clear",
		"richtig negativ", "korrekte ablehnung", "korrekte zurückweisung", "vrai négatif", "vrais négatifs", "rejet correct", "rejets corrects",
		"verdadero negativo", "verdaderos negativos", "rechazo correcto", "rechazos correctos",
		"negativ i vërtetë", "refuzim i saktë",
		"istinski negativan", "stvarno negativan", "tačno odbijanje", "ispravno odbijanje", "истински негативан", "стварно негативан", "тачно одбијање", "исправно одбијање",
	},
}

// shortNames are the sets of short forms: English by the truth, English by the response, German, French and Spanish, Albanian,
// Serbian in two usages and two scripts. A short form counts within its set alone: "sn" is also a sensitivity and "pr" a
// precision, and a table that mixes sets may mean anything.
var shortNames = []map[string]string{
	{"tp": hits, "fn": misses, "fp": falseAlerts, "tn": rejections},
	{"h": hits, "m": misses, "fa": falseAlerts, "cr": rejections},
	{"rp": hits, "fn": misses, "fp": falseAlerts, "rn": rejections},
	{"vp": hits, "fn": misses, "fp": falseAlerts, "vn": rejections},
	{"pv": hits, "nr": misses, "pr": falseAlerts, "nv": rejections},
	{"sp": hits, "ln": misses, "lp": falseAlerts, "sn": rejections},
	{"ip": hits, "ln": misses, "lp": falseAlerts, "in": rejections},
	{"сп": hits, "лн": misses, "лп": falseAlerts, "сн": rejections},
	{"ип": hits, "лн": misses, "лп": falseAlerts, "ин": rejections},
}

// leastGuessed is the length from which a misspelt name is guessed, in letters: two letters are near to everything, and a
// wrong guess swaps two counts.
const leastGuessed = 3

// fold takes from a column's name what does not tell names apart: case, and the signs between words.
func fold(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '_' || r == '-' || r == '.' || r == '\u00a0' })
	return strings.Join(words, " ")
}

// recognise tells which column each name of a header stands for, otherColumn where it cannot tell. The names of one table are
// taken from one set of short forms.
func recognise(header []string) []string {
	var best []string
	most, sets := 0, 0
	for _, set := range shortNames {
		known := make([]string, len(header))
		counts := 0
		for i, name := range header {
			known[i] = inSet(fold(name), set)
			if known[i] != otherColumn && known[i] != labelColumn && !slices.Contains(known[:i], known[i]) {
				counts++
			}
		}
		switch {
		case counts > most:
			best, most, sets = known, counts, 1
		case counts == most && counts > 0 && !slices.Equal(best, known):
			sets++
		}
	}
	if sets == 1 {
		return best
	}
	// None fits best: only what no set is needed for is known.
	known := make([]string, len(header))
	for i, name := range header {
		known[i] = inSet(fold(name), nil)
	}
	return known
}

// inSet tells which column a folded name stands for, with the short forms of one set.
func inSet(name string, short map[string]string) string {
	if name == labelColumn {
		return labelColumn
	}
	for column, names := range longNames {
		if slices.Contains(names, name) {
			return column
		}
	}
	return short[name]
}

// meant returns the name that was most likely meant by one that is not known, "" where that would be a guess.
func meant(name string) string {
	if len([]rune(fold(name))) < leastGuessed {
		return ""
	}
	near := ""
	for _, column := range columns {
		candidates := longNames[column]
		if column == labelColumn {
			candidates = []string{labelColumn}
		}
		found := strict.Nearest(fold(name), candidates)
		if found == "" {
			continue
		}
		if near != "" {
			return "" // it is near to the words of two columns
		}
		near = found
	}
	return near
}
