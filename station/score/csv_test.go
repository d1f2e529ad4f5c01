package score_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scentpost/station/score"
	"scentpost/station/strict"
)

var oneRow = []score.Row{{Label: "a", Counts: score.Counts{TP: 1, FN: 2, FP: 3, TN: 4}}}

func TestParseCounts(t *testing.T) {
	for name, src := range map[string]string{
		"plain":                       "label,tp,fn,fp,tn\na,1,2,3,4\n",
		"no end of line":              "label,tp,fn,fp,tn\na,1,2,3,4",
		"another order, other case":   "TN,Fp,fN,TP,Label\n4,3,2,1,a\n",
		"Excel":                       "\xef\xbb\xbflabel;tp;fn;fp;tn\r\na;1;2;3;4\r\n",
		"tabs":                        "label\ttp\tfn\tfp\ttn\na\t1\t2\t3\t4\n",
		"an old Macintosh":            "label,tp,fn,fp,tn\ra,1,2,3,4\r",
		"quotes":                      "\"label\",\"tp\",fn,fp,tn\n\"a\",\"1\",2,3,4\n",
		"blanks":                      " label , tp,fn ,fp,tn\n a , 1,2 , 3 ,4\n",
		"empty lines and rows":        "\n\nlabel;tp;fn;fp;tn\n\n;;;;\na;1;2;3;4\n;;;;\n\n",
		"a separator line":            "\xef\xbb\xbfsep=;\r\nlabel;tp;fn;fp;tn\r\na;1;2;3;4\r\n",
		"empty columns at the end":    "label;tp;fn;fp;tn;;\na;1;2;3;4;;\n",
		"separators at a line's end":  "label,tp,fn,fp,tn\na,1,2,3,4,,,\n",
		"zeros in front":              "label,tp,fn,fp,tn\na,01,002,3,4\n",
		"a mark, and the name quoted": "\xef\xbb\xbf\"label\",tp,fn,fp,tn\na,1,2,3,4\n",
	} {
		if got, err := score.ParseCounts("f", []byte(src), score.RefuseExtra); err != nil || !slices.Equal(got, oneRow) {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	got, err := score.ParseCounts("f", []byte("label;tp;fn;fp;tn\n\"Šarko; \"\"the 2nd\"\", Gjakovë\";0;0;0;100000000\n;1;1;1;1\n"), score.RefuseExtra)
	if err != nil || len(got) != 2 || got[0].Label != `Šarko; "the 2nd", Gjakovë` || got[0].TN != score.MaxCount || got[1].Label != "" {
		t.Errorf("labels: %+v %v", got, err)
	}
}

func TestParseCountsRefuses(t *testing.T) {
	const head = "label,tp,fn,fp,tn\n"
	const expected = "a whole number from 0 to 100000000 is expected, not "
	for name, c := range map[string]struct{ src, want string }{
		"empty":              {"", `f:1:1: the table is empty (the first line names the columns label,tp,fn,fp,tn)`},
		"a mark alone":       {"\xef\xbb\xbf\r\n", `f:1:1: the table is empty (the first line names the columns label,tp,fn,fp,tn)`},
		"names alone":        {head, `f:1:1: the table has no lines of counts (write a line for each label below the names)`},
		"negative":           {head + "a,1,-2,3,4\n", `f:2:5: fn: negative, ` + expected + `"-2"`},
		"fractional":         {head + "a,1,2,3.5,4\n", `f:2:7: fp: not a whole number, ` + expected + `"3.5"`},
		"decimal comma":      {"label;tp;fn;fp;tn\na;1,5;2;3;4\n", `f:2:3: tp: not a whole number, ` + expected + `"1,5"`},
		"perhaps a thousand": {head + "a,1.000,2,3,4\n", `f:2:3: tp: not a whole number, ` + expected + `"1.000"`},
		"no digit":           {head + "a,.0,2,3,4\n", `f:2:3: tp: not a whole number, ` + expected + `".0"`},
		"exponent":           {head + "a,1e3,2,3,4\n", `f:2:3: tp: not a whole number, ` + expected + `"1e3"`},
		"a plus":             {head + "a,+1,2,3,4\n", `f:2:3: tp: not a whole number, ` + expected + `"+1"`},
		"large":              {head + "a,1,2,3,100000001\n", `f:2:9: tn: too large, ` + expected + `"100000001"`},
		"enormous":           {head + "a,1,2,3," + strings.Repeat("9", 400) + "\n", `f:2:9: tn: too large, ` + expected + `"` + strings.Repeat("9", 60) + `..."`},
		"enormous, negative": {head + "a,-" + strings.Repeat("9", 40) + ",2,3,4\n", `f:2:3: tp: negative, ` + expected + `"-` + strings.Repeat("9", 40) + `"`},
		"a word":             {head + "a,1,two,3,4\n", `f:2:5: fn: not a number, ` + expected + `"two"`},
		"not there":          {head + "a,1,,3,4\n", `f:2:5: fn: empty, ` + expected + `""`},
		"places count characters": {head + "Šarko ë,1,x,3,4\n",
			`f:2:11: fn: not a number, ` + expected + `"x"`},
		"after a separator line":     {"sep=,\nlabel,tp,fn,fp,tn\na,x,2,3,4\n", `f:3:3: tp: not a number, ` + expected + `"x"`},
		"a separator line alone":     {"sep=;\n", `f:1:1: the table is empty (the first line names the columns label,tp,fn,fp,tn)`},
		"an empty column inside":     {"label,tp,,fn,fp,tn\na,1,,2,3,4\n", `f:1:10: "": unknown column (the columns are label,tp,fn,fp,tn, or in words: hit, miss, false alarm, correct rejection; other columns are left out with --extra ignore)`},
		"more under an empty column": {"label,tp,fn,fp,tn,\na,1,2,3,4,5\n", `f:2:1: 6 fields, 5 are expected (label, tp, fn, fp, tn)`},
		"all problems": {head + "a,1,x,3,4\nb,1,2,3,4\nc,-1,2,3,y\n",
			"f:2:5: fn: not a number, " + expected + "\"x\"\nf:4:3: tp: negative, " + expected + "\"-1\"\nf:4:10: tn: not a number, " + expected + `"y"`},
		"a field less":      {head + "a,1,2,3\n", `f:2:1: 4 fields, 5 are expected (label, tp, fn, fp, tn)`},
		"a field more":      {head + "a,1,2,3,4,5\n", `f:2:1: 6 fields, 5 are expected (label, tp, fn, fp, tn)`},
		"a missing column":  {"label,tp,fn,fp\na,1,2,3\n", `f:1:1: tn: the column is missing (the columns are label,tp,fn,fp,tn, or in words: hit, miss, false alarm, correct rejection)`},
		"a doubled column":  {"label,tp,fn,fp,tn,TP\na,1,2,3,4,5\n", `f:1:19: TP: the column tp stands here a second time (keep one)`},
		"an unknown column": {"label,tp,fn,fp,tn,remarks\n", `f:1:19: "remarks": unknown column (the columns are label,tp,fn,fp,tn, or in words: hit, miss, false alarm, correct rejection; other columns are left out with --extra ignore)`},
		"a misspelt column": {"lable,tp,fn,fp,tn\n", "f:1:1: \"lable\": unknown column (did you mean label?)\nf:1:1: label: the column is missing (the columns are label,tp,fn,fp,tn, or in words: hit, miss, false alarm, correct rejection)"},
		"NUL":               {head + "a,1,2,\x003,4\n", `f:2:7: a control character (U+0000), text is expected (is this a CSV file?)`},
		"junk":              {"\x7fELF\x02\x01\x01\x00", `f:1:1: a control character (U+007F), text is expected (is this a CSV file?)`},
		"Latin-1":           {head + "\xe9,1,2,3,4\n", `f:2:1: byte 0xe9 is no text in UTF-8 (save it as CSV UTF-8)`},
		"UTF-16":            {"\xff\xfel\x00a\x00", `f:1:1: is text in UTF-16, UTF-8 is expected (save it as CSV UTF-8)`},
		"an open quote":     {head + "\"a,1,2,3,4\n", `f:2:1: a quoted field in this line does not end as it should (quotes stand around a whole field; write "" for each quote in it)`},
		"a quote inside":    {head + "a\"b,1,2,3,4\n", `f:2:2: a quote in the middle of a field (put the whole field in quotes and write "" for each quote in it)`},
		"a label of lines":  {head + "\"a\nb\",1,2,3,4\n", `f:2:1: label: a label of one line, without tabs, is expected`},
		"too long":          {head + strings.Repeat(" ", strict.MaxBytes), `f: has 1048594 bytes, 1048576 are the most that is read (is this the right file?)`},
	} {
		rows, err := score.ParseCounts("f", []byte(c.src), score.RefuseExtra)
		var problems *strict.Problems
		if rows != nil || !errors.As(err, &problems) || err.Error() != c.want {
			t.Errorf("%s:\n%v\nwant\n%s", name, err, c.want)
		}
	}
	_, err := score.ParseCounts("f", []byte(head+strings.Repeat("a,b,c,d,e\n", 50)), score.RefuseExtra)
	if err == nil || !strings.Contains(err.Error(), "and 100 more problems") {
		t.Errorf("200 problems: %v", err)
	}
}

// What is written with any separator, order, line end and quoting comes back.
func TestParseCountsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.Permutation([]string{"label", "tp", "fn", "fp", "tn"}).Draw(t, "names")
		sep := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "separator")
		end := rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end")
		src := rapid.SampledFrom([]string{"", "\xef\xbb\xbf"}).Draw(t, "mark") + strings.Join(names, sep) + end
		want := make([]score.Row, rapid.IntRange(1, 5).Draw(t, "rows"))
		for i := range want {
			want[i] = score.Row{Label: rapid.StringMatching(`[a-zšë"',;]{0,8}`).Draw(t, "label"), Counts: drawCounts(t)}
			text := map[string]string{"label": `"` + strings.ReplaceAll(want[i].Label, `"`, `""`) + `"`, "tp": fmt.Sprint(want[i].TP),
				"fn": fmt.Sprint(want[i].FN), "fp": fmt.Sprint(want[i].FP), "tn": fmt.Sprint(want[i].TN)}
			fields := make([]string, len(names))
			for f, name := range names {
				fields[f] = text[name]
			}
			src += strings.Join(fields, sep) + end
		}
		if got, err := score.ParseCounts("f", []byte(src), score.RefuseExtra); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q: %+v %v, want %+v", src, got, err, want)
		}
	})
}

// FuzzParseCounts: any bytes give rows whose counts are within their limits, or problems that have a place.
func FuzzParseCounts(f *testing.F) {
	for _, seed := range []string{"", "label,tp,fn,fp,tn\na,1,2,3,4\n", "\xef\xbb\xbflabel;tp;fn;fp;tn\r\n\"a;\"\"\";1;2;3;4\r\n",
		"tn\tfp\tfn\ttp\tlabel\r4\t3\t2\t1\ta", "label,tp,fn,fp,tn\n\"a\nb\",-1,2.5,99999999999999999999,\n", "label,label\n\"", "\xff\xfel\x00", "label,tp\n\x00"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		rows, err := score.ParseCounts("f", src, score.RefuseExtra)
		if err == nil {
			if len(rows) == 0 {
				t.Fatal("neither rows nor an error")
			}
			for _, r := range rows {
				if min(r.TP, r.FN, r.FP, r.TN) < 0 || max(r.TP, r.FN, r.FP, r.TN) > score.MaxCount {
					t.Fatalf("%+v", r)
				}
			}
			return
		}
		var problems *strict.Problems
		if !errors.As(err, &problems) || len(problems.List) == 0 || rows != nil {
			t.Fatalf("%+v %v", rows, err)
		}
		for _, p := range problems.List {
			if len(src) <= strict.MaxBytes && (p.Line < 1 || p.Column < 1 || p.Message == "") {
				t.Fatalf("%+v has no place", p)
			}
		}
	})
}
