package score

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestColumnsAsPeopleNameThem: tables with the usual words and short forms are read as what they mean.
func TestColumnsAsPeopleNameThem(t *testing.T) {
	want := []Row{{Label: "Rex", Counts: Counts{TP: 10, FN: 2, FP: 1, TN: 30}}}
	for name, header := range map[string]string{
		"signal detection":          "label,hit,miss,fa,cr",
		"single letters":            "label,H,M,FA,CR",
		"in words":                  "label,true positives,False_Negatives,FALSE-POSITIVES,True Negatives",
		"alarms":                    "label,Hits,Misses,False alarms,Correct rejections",
		"German":                    "label,RP,FN,FP,RN",
		"German words":              "label,Treffer,verpasst,Fehlalarme,korrekte Zurückweisung",
		"French":                    "label,VP,FN,FP,VN",
		"French words":              "label,vrais positifs,faux négatifs,fausse alerte,rejets corrects",
		"Spanish words":             "label,Aciertos,Omisiones,Falsas alarmas,Rechazos correctos",
		"Albanian":                  "label,PV,NR,PR,NV",
		"Albanian words":            "label,pozitiv i vërtetë,negativ i rremë,pozitiv i rremë,negativ i vërtetë",
		"Serbian":                   "label,SP,LN,LP,SN",
		"Serbian, the other usage":  "label,IP,LN,LP,IN",
		"Serbian, Cyrillic":         "label,СП,ЛН,ЛП,СН",
		"Serbian words":             "label,pogodak,promašaj,lažna uzbuna,tačno odbijanje",
		"Serbian words, Cyrillic":   "label,погодак,промашај,лажна узбуна,тачно одбијање",
		"words and short forms":     "label,hit,miss,fp,tn",
		"first column without name": ",tp,fn,fp,tn",
	} {
		for _, row := range []string{"Rex,10,2,1,30", "Rex,10.0,2.0,1.0,30.0", "Rex,10.00,2,1.0,30"} {
			got, err := ParseCounts("f", []byte(header+"\n"+row+"\n"), RefuseExtra)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, %s: %+v %v", name, row, got, err)
			}
		}
	}
}

// TestExtraColumns: other columns are refused, or left out when that is asked for; a short form of another set is one of them.
func TestExtraColumns(t *testing.T) {
	want := []Row{{Label: "Rex", Counts: Counts{TP: 10, FN: 2, FP: 1, TN: 30}}}
	for name, src := range map[string]string{
		"a remark":                   "label,tp,remark,fn,fp,tn\nRex,10,rain; cold,2,1,30\n",
		"sensitivity and precision":  "label,tp,fn,fp,tn,sn,pr\nRex,10,2,1,30,0.83,0.91\n",
		"an index before the label":  ",label,tp,fn,fp,tn\n0,Rex,10,2,1,30\n",
		"Serbian with a specificity": "label,ip,ln,lp,in,tn-rate\nRex,10,2,1,30,0.97\n",
	} {
		if got, err := ParseCounts("f", []byte(src), IgnoreExtra); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
		if got, err := ParseCounts("f", []byte(src), RefuseExtra); err == nil {
			t.Errorf("%s is taken unasked: %+v", name, got)
		}
	}
	for name, src := range map[string]string{
		"two sets as good as each other": "label,sp,ln,lp,sn,ip,in\nRex,1,2,3,4,5,6\n",
		"a column twice":                 "label,tp,hits,fn,fp,tn\nRex,1,1,2,3,4\n",
		"a count is missing":             "label,tp,fn,fp,remark\nRex,1,2,3,4\n",
	} {
		if got, err := ParseCounts("f", []byte(src), IgnoreExtra); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestNoWordStandsForTwoColumns: neither among the long names nor within a set of short ones, nor does a long name hide a
// short one.
func TestNoWordStandsForTwoColumns(t *testing.T) {
	seen := map[string]string{}
	for column, names := range longNames {
		for _, n := range names {
			if was, twice := seen[n]; twice || fold(n) != n || len([]rune(n)) < leastGuessed {
				t.Errorf("%q of %s: also of %q, or not folded, or too short", n, column, was)
			}
			seen[n] = column
		}
	}
	for _, set := range shortNames {
		var all []string
		for n, column := range set {
			all = append(all, column)
			if _, long := seen[n]; long {
				t.Errorf("%q is a long name too", n)
			}
		}
		slices.Sort(all)
		if !slices.Equal(all, []string{misses, falseAlerts, rejections, hits}) {
			t.Errorf("the set %v names %v", set, all)
		}
	}
}

// TestNoHintSwapsCells: whatever one letter of a good name is changed to, who follows the hint has named the same column; of
// two letters nothing is guessed.
func TestNoHintSwapsCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		column := rapid.SampledFrom(columns[1:]).Draw(t, "column")
		name := []rune(rapid.SampledFrom(longNames[column]).Draw(t, "name"))
		at := rapid.IntRange(0, len(name)-1).Draw(t, "at")
		letter := rapid.RuneFrom([]rune("abcdefghijklmnopqrstuvwxyz ëçčšж")).Draw(t, "letter")
		var changed []rune
		switch rapid.IntRange(0, 2).Draw(t, "edit") {
		case 0:
			changed = slices.Concat(name[:at], []rune{letter}, name[at:])
		case 1:
			changed = slices.Concat(name[:at], name[at+1:])
		default:
			changed = slices.Concat(name[:at], []rune{letter}, name[at+1:])
		}
		hint := meant(string(changed))
		if hint == "" {
			return
		}
		if got := inSet(fold(hint), nil); got != column {
			t.Fatalf("%q, written for %q of %s, is guessed as %q of %s", string(changed), string(name), column, hint, got)
		}
	})
	for _, short := range []string{"fa", "cr", "tp", "fm", "ft", "rn", "h", "лн"} {
		if hint := meant(short); hint != "" {
			t.Errorf("%q is guessed as %q", short, hint)
		}
	}
	if hint := meant("false alram"); hint != "false alarm" {
		t.Errorf("a plain misspelling is guessed as %q", hint)
	}
}
