package strict_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"scentpost/station/strict"
)

// count reads itself from "3" or "1..3".
type count struct{ min, max int }

func (c *count) UnmarshalStrict(n strict.Node) error {
	if _, err := fmt.Sscanf(n.Text, "%d..%d", &c.min, &c.max); err == nil {
		return nil
	}
	if n.Kind != strict.Int {
		return strict.Errorf("write 0..1 or 2", "a number or a range is expected, not %s", strict.Quote(n.Text))
	}
	_, err := fmt.Sscan(n.Text, &c.min)
	c.max = c.min
	return err
}

type device struct {
	Name  string            `yaml:"name"`
	Lines map[string]string `yaml:"lines"`
}

type sample struct {
	Plan     string        `yaml:"plan"`
	Runs     int           `yaml:"runs"`
	Small    int8          `yaml:"small"`
	Ratio    float64       `yaml:"ratio"`
	Limited  bool          `yaml:"limited"`
	Dwell    time.Duration `yaml:"dwell"`
	PerRun   count         `yaml:"per_run"`
	Odours   []string      `yaml:"odours"`
	Devices  []device      `yaml:"devices"`
	Extra    *device       `yaml:"extra"`
	Any      strict.Node   `yaml:"any"`
	Internal string        // without a tag
}

// problems parses and decodes src and returns what is wrong with it, a line each.
func problems(src string) []string {
	doc, err := strict.Parse("f", []byte(src))
	if err == nil {
		doc.Decode(&sample{})
		err = doc.Err()
	}
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}

func TestEverythingThatIsWrongAtOnceWithItsPlace(t *testing.T) {
	src := "plan: 12\n" +
		"rnus: 3\n" +
		"runs: many\n" +
		"dwell: 3\n" +
		"odours: [tnt, 4, {a: b}]\n" +
		"devices:\n" +
		"  - name: a\n" +
		"    name: b\n" +
		"  - nmae: c\n" +
		"    lines: {drive: [x]}\n" +
		"per_run: few\n"
	want := []string{
		`f:1:7: plan: text is expected, not a whole number (put it in quotes if it is meant as text: "12")`,
		`f:2:1: rnus: unknown key (did you mean "runs"?)`,
		`f:3:7: runs: a whole number is expected, not "many"`,
		`f:4:8: dwell: a duration such as 90s, 1m30s or 500ms is expected, not "3" (with its unit: 3s or 3ms)`,
		`f:5:15: odours[1]: text is expected, not a whole number (put it in quotes if it is meant as text: "4")`,
		`f:5:19: odours[2]: text is expected, not a mapping`,
		`f:8:5: devices[0].name: given twice (take one away: the first is in line 7)`,
		`f:9:5: devices[1].nmae: unknown key (did you mean "name"?)`,
		`f:10:20: devices[1].lines.drive: text is expected, not a list`,
		`f:11:10: per_run: a number or a range is expected, not "few" (write 0..1 or 2)`,
	}
	got := problems(src)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestGoodDocumentIsTaken(t *testing.T) {
	src := "\xEF\xBB\xBF# a comment\r\n---\r\nplan: 'Line-up of six'\r\nruns: 12\r\nsmall: -128\r\nratio: 2\r\nlimited: true\r\n" +
		"dwell: 1m30s\r\nper_run: 0..1\r\nodours: [tnt, \"4\"]\r\ndevices:\r\n- {name: a, lines: {drive: c1a.drive}}\r\n" +
		"extra:\r\n  name: |\r\n    two\r\n    lines\r\nany: [1, x]\r\n...\r\n"
	doc, err := strict.Parse("f", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var s sample
	doc.Decode(&s)
	if err := doc.Err(); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%q %d %d %v %v %v %v %q %v %q %v", s.Plan, s.Runs, s.Small, s.Ratio, s.Limited, s.Dwell, s.PerRun,
		s.Odours, s.Devices, s.Extra.Name, s.Any.Items()[1].Text)
	want := `"Line-up of six" 12 -128 2 true 1m30s {0 1} ["tnt" "4"] [{a map[drive:c1a.drive]}] "two\nlines\n" x`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestBadValues(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"empty file", "", `f:1:1: the file is empty`},
		{"only a comment", "# nothing\n", `f:1:1: the file is empty`},
		{"a list at the top", "- a\n", `f:1:1: a mapping is expected, not a list`},
		{"text at the top", "hello\n", `f:1:1: a mapping is expected, not "hello"`},
		{"no value", "plan:\nruns: 1\n", `f:1:1: plan: has no value; text is expected (give it, or take the key away)`},
		{"fraction for a count", "runs: 1.5\n", `f:1:7: runs: a whole number is expected, not "1.5"`},
		{"exponent for a count", "runs: 1e3\n", `f:1:7: runs: a whole number is expected, not "1e3"`},
		{"octal", "runs: 010\n", `f:1:7: runs: "010" is not a plain whole number (write it without the leading zero)`},
		{"hexadecimal", "runs: 0x10\n", `f:1:7: runs: a whole number is expected, not "0x10"`},
		{"enormous", "runs: 99999999999999999999999\n", `f:1:7: runs: "99999999999999999999999" is too large a number`},
		{"too large for its field", "small: 128\n", `f:1:8: small: "128" is too large a number`},
		{"quoted number", "runs: '3'\n", `f:1:7: runs: a whole number is expected, not "3"`},
		{"infinity", "ratio: 1e999\n", `f:1:8: ratio: "1e999" is too large a number`},
		{"not a number", "ratio: .nan\n", `f:1:8: ratio: a number is expected, not ".nan"`},
		{"yes for true", "limited: yes\n", `f:1:10: limited: true or false is expected, not "yes"`},
		{"canister 1E2 is a number", "plan: 1E2\n", `f:1:7: plan: text is expected, not a fraction (put it in quotes if it is meant as text: "1E2")`},
		{"a list for a range", "per_run: [1]\n", `f:1:10: per_run: one value is expected, not a list`},
		{"unknown and far", "zebra: 1\n", `f:1:1: zebra: unknown key (known: any, devices, dwell, extra, limited, odours, per_run, plan, ratio, runs, small)`},
		{"private fields are unknown", "Internal: 1\n", `f:1:1: Internal: unknown key (known: any, devices, dwell, extra, limited, odours, per_run, plan, ratio, runs, small)`},
		{"anchor", "plan: &a x\n", `f:1:7: an anchor (&) is not allowed here (write the value out, or put it in quotes if it is text)`},
		{"alias", "plan: *a\n", `f:1:7: an alias (*) is not allowed here (write the value out, or put it in quotes if it is text)`},
		{"merge key", "<<: {plan: x}\n", `f:1:1: a merge key (<<) is not allowed here (write the keys out)`},
		{"tag", "plan: !!str 1\n", `f:1:7: a tag (!) is not allowed here (put the value in quotes if it is text)`},
		{"directive", "%YAML 1.2\n---\nplan: x\n", `f:1:1: a directive (%) is not allowed here (put the value in quotes if it is text)`},
		{"complex key", "? [a]\n: b\n", `f:1:1: a complex key (?) is not allowed here (write key: value, or put the value in quotes if it is text)`},
		{"two documents", "plan: a\n---\nplan: b\n", `f:2:1: a second document begins here (keep one, and put the other in a file of its own)`},
		{"after the end", "plan: a\n...\nplan: b\n", `f:3:1: a second document begins here (keep one, and put the other in a file of its own)`},
		{"NUL", "plan: a\x00\n", `f:1:8: control character 0x00 is not text (a plain text file in UTF-8 is expected: is this the right file?)`},
		{"not UTF-8", "plan: a\nruns: \xff\n", `f:2:7: byte 0xFF is not UTF-8 (a plain text file in UTF-8 is expected: is this the right file?)`},
		{"open bracket", "odours: [a\n", `f:1:9: is not YAML: sequence end token ']' not found`},
		{"open quote", "plan: \"a\n", `f:1:7: is not YAML: could not find end character of double-quoted text`},
		{"long value is cut", "runs: " + strings.Repeat("ä", 200) + "\n",
			`f:1:7: runs: a whole number is expected, not "` + strings.Repeat("ä", 60) + `..."`},
	} {
		if got := strings.Join(problems(c.src), "\n"); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// TestBombs: each is refused, by its limit and at once. The test's own time-out is the measure for a hang.
func TestBombs(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"100 MB of junk", strings.Repeat("\x00", 100<<20), "f: has 104857600 bytes"},
		{"brackets", strings.Repeat("[", strict.MaxBytes), "f:1:33: nested deeper than 32"},
		{"braces", "plan: " + strings.Repeat("{a: ", 1000), "nested deeper than 32"},
		{"dashes", strings.Repeat("- ", strict.MaxBytes/2), "nested deeper than 32"},
		{"keys in one line", strings.Repeat("a: ", strict.MaxBytes/3), "f:1:"},
		{"keys in a flow", "{" + strings.Repeat("a: ", 1000) + "}", "f:1:"},
		{"indents", indents(200), "nested deeper than 32"},
		{"list at its key's column", keysAndDashes(40), "nested deeper than 32"},
		{"many values", "odours: [" + strings.Repeat("a,", 400_000) + "]", "more than 50000 words and marks"},
		{"billion laughs", "a: &a [x,x,x]\nb: &b [*a,*a,*a]\n", "f:1:4: an anchor"},
		{"long key", strings.Repeat("k", 200) + ": 1\n", "f:1:1: a key of 200 bytes"},
		{"questions", strings.Repeat("? ", strict.MaxBytes/2), "f:1:1: a complex key"},
		{"problems without end", "odours:\n" + strings.Repeat("- 1\n", 10_000), "and 9900 more problems"},
	} {
		got := strings.Join(problems(c.src), "\n")
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: got %.300s, want %s", c.name, got, c.want)
		}
	}
}

func indents(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

func keysAndDashes(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat("  ", i) + "- a:\n")
	}
	return b.String()
}

func TestPlaces(t *testing.T) {
	doc, err := strict.Parse("f", []byte("targets:\n  per_run: 3\n  odours: [a, b]\ndevices:\n  - name: x\n  - name: y\n    lines:\n      drive: l\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path         string
		line, column int
		has          bool
	}{
		{"", 1, 1, true},
		{"targets", 1, 1, true},
		{"targets.per_run", 2, 12, true},
		{"targets.odours", 3, 3, true},
		{"targets.odours[1]", 3, 15, true},
		{"targets.odours[2]", 3, 3, false},
		{"targets.per_session", 1, 1, false},
		{"devices[1].name", 6, 11, true},
		{"devices[1].lines.drive", 8, 14, true},
		{"devices[1].lines.opened", 7, 5, false},
		{"devices[x]", 4, 1, false},
		{"nothing.at.all", 1, 1, false},
	} {
		line, column := doc.Place(c.path)
		if line != c.line || column != c.column || doc.Has(c.path) != c.has {
			t.Errorf("%q: got %d:%d %v, want %d:%d %v", c.path, line, column, doc.Has(c.path), c.line, c.column, c.has)
		}
	}
	doc.Problem("devices[1].lines.opened", "name the line of the limit switch", "is missing")
	want := "f:7:5: devices[1].lines.opened: is missing (name the line of the limit switch)"
	if err := doc.Err(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"positions", "per_run", "per_session", "purge", "runs", "rule"}
	for name, want := range map[string]string{
		"postions": "positions", "Runs": "runs", "perrun": "per_run", "per_sesion": "per_session", "rnus": "runs",
		"purg": "purge", "rules": "rule", "zebra": "", "": "", strings.Repeat("r", 65): "",
	} {
		if got := strict.Nearest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
	if got := strict.DidYouMean("zebra", nil); got != "" {
		t.Errorf("nothing is known: got %q", got)
	}
}

func TestTooLarge(t *testing.T) {
	err := strict.TooLarge("big.yaml", 5<<20)
	var p *strict.Problems
	if !errors.As(err, &p) || !strings.HasPrefix(err.Error(), "big.yaml: has 5242880 bytes, and 1048576 (1 MiB)") {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: no input panics or hangs, every problem has a place inside the file, and what parses decodes.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "plan: x\nruns: 3\n", "odours: [a, 'b', \"c\"]\n", "devices:\n  - name: |\n      text\n", "a: &a [*a]\n", "---\n...\n",
		"? a\n: b\n", "{a: {b: [c, ]}}", "- - - a", "a:\n- b\n-\n", "per_run: 0..1\n", "x: 'a\n\n b'\n", "<<: a", "\t", "!", "%", "a: >-\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, err := strict.Parse("f", src)
		if err == nil {
			doc.Decode(&sample{})
			err = doc.Err()
		}
		if err == nil {
			return
		}
		var p *strict.Problems
		if !errors.As(err, &p) || len(p.List) == 0 || p.Error() == "" {
			t.Fatalf("an error that is no list of problems: %v", err)
		}
		lines := bytes.Count(src, []byte("\n")) + bytes.Count(src, []byte("\r")) + 2
		for _, one := range p.List {
			if one.Line < 1 || one.Line > lines || one.Column < 1 || one.Message == "" {
				t.Errorf("a problem without a place: %+v", one)
			}
		}
	})
}

func TestRestTakesWhatNoFieldHas(t *testing.T) {
	var into struct {
		List []struct {
			Name string                 `yaml:"name"`
			Rest map[string]strict.Node `yaml:",rest"`
		} `yaml:"list"`
	}
	doc, err := strict.Parse("f", []byte("list:\n  - {name: a, settle: 20ms, stuk: [1]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	doc.Decode(&into)
	if err := doc.Err(); err != nil {
		t.Fatal(err)
	}
	if got := into.List[0].Rest; len(got) != 2 || got["settle"].Text != "20ms" || got["stuk"].Kind != strict.Sequence {
		t.Errorf("got %v", got)
	}
	doc.UnknownKey("list[0]", "stuk", []string{"settle", "stuck"})
	doc.UnknownKey("list[0]", "none", nil)
	want := "f:2:6: list[0].none: unknown key\nf:2:29: list[0].stuk: unknown key (did you mean \"stuck\"?)"
	if err := doc.Err(); err.Error() != want {
		t.Errorf("got\n%s\nwant\n%s", err, want)
	}
}

// TestKeyProblem: a key that a user chose may hold what separates the steps of a path.
func TestKeyProblem(t *testing.T) {
	doc, err := strict.Parse("f", []byte("a:\n  lines: {c1a.drive: {x: 1}, \"b[0]:c\": 2}\n"))
	if err != nil {
		t.Fatal(err)
	}
	doc.KeyProblem("a.lines", "c1a.drive", "do", "is wrong")
	doc.KeyProblem("a.lines", "b[0]:c", "", "too")
	doc.KeyProblem("a.lines", "none", "", "is not there")
	doc.KeyProblem("a.none", "none", "", "nor is this")
	want := `f:1:1: a.none.none: nor is this
f:2:3: a.lines.none: is not there
f:2:11: a.lines.c1a.drive: is wrong (do)
f:2:30: a.lines.b[0]:c: too`
	if got := doc.Err(); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
}

// TestAnyKeyMayBeUnknown: a key that a person wrote holds whatever signs it likes, and is found at its own place.
func TestAnyKeyMayBeUnknown(t *testing.T) {
	doc, err := strict.Parse("f", []byte("fine: 1\n\".\": 2\na.b: 3\n\"[0]\": 4\n\"\": 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{".", "a.b", "[0]", ""} {
		doc.UnknownKey("", key, []string{"fine"})
	}
	var places []string
	var all *strict.Problems
	if !errors.As(doc.Err(), &all) {
		t.Fatal(doc.Err())
	}
	for _, p := range all.List {
		places = append(places, fmt.Sprintf("%d:%d %q", p.Line, p.Column, p.Field))
	}
	if got, want := strings.Join(places, ", "), `2:1 ".", 3:1 "a.b", 4:1 "[0]", 5:1 ""`; got != want {
		t.Errorf("problems at %s, want %s", got, want)
	}
}

// TestWhatAnUnknownKeyWasMeantForIsNotMissing: one slip of the finger is one problem, whichever is noted first.
func TestWhatAnUnknownKeyWasMeantForIsNotMissing(t *testing.T) {
	doc, err := strict.Parse("f", []byte("a: {nmae: x}\nb: {colour: red}\nlines: {\"b.c:1\": {activ: true}, d: {}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"a.name", "a.size", "b.name", "name"} {
		doc.Missing(path, "give it", "is missing")
	}
	doc.UnknownKey("a", "nmae", []string{"name", "size"})
	doc.UnknownKey("b", "colour", []string{"name"})
	doc.UnknownKey("lines.b.c:1", "activ", []string{"active"})
	if !doc.Misspelt("a") || !doc.Misspelt("lines.b.c:1") || doc.Misspelt("lines.d") || doc.Misspelt("name") {
		t.Error("which mappings have unknown keys is not known")
	}
	want := `f:1:1: a.size: is missing (give it)
f:1:1: name: is missing (give it)
f:1:5: a.nmae: unknown key (did you mean "name"?)
f:2:1: b.name: is missing (give it)
f:2:5: b.colour: unknown key (known: name)
f:3:1: lines.b.c:1.activ: unknown key (did you mean "active"?)`
	for range 2 { // asked again it says the same
		if got := doc.Err(); got == nil || got.Error() != want {
			t.Errorf("got\n%v\nwant\n%s", got, want)
		}
	}
}
