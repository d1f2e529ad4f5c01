package score

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"scentpost/station/event"
	"scentpost/station/strict"
)

// The limits of a rule file.
const (
	maxValues  = 64 // values that a file may define, and parts of one
	maxDepth   = 4  // values made of values; each level multiplies the digits of an exact number
	maxNested  = 4  // groups within groups
	maxClauses = 32 // clauses and groups; a verdict must fit into one record
	maxTexts   = 16 // entries of not_checked and of notes
	maxText    = 400
	maxName    = 80 // of a rule, a clause, or who confirmed it
)

// ruleFile is a rule as it stands in YAML.
type ruleFile struct {
	Rule          string           `yaml:"rule"`
	Title         string           `yaml:"title"`
	Source        string           `yaml:"source"`
	Edition       string           `yaml:"edition"`
	Unit          string           `yaml:"unit"`
	UnitBy        string           `yaml:"unit_by"`
	ConfirmedBy   string           `yaml:"confirmed_by"`
	Validity      string           `yaml:"validity"`
	Filters       filters          `yaml:"filters"`
	Policy        Policy           `yaml:"policy"`
	Smallest      SmallestTest     `yaml:"smallest_test"`
	Values        map[string]value `yaml:"values"`
	Preconditions []clause         `yaml:"preconditions"`
	Pass          clause           `yaml:"pass"`
	NotChecked    []string         `yaml:"not_checked"`
	Notes         []string         `yaml:"notes"`
}

// ParseRule reads a pass rule. The error is a *strict.Problems with everything that is wrong in the file.
func ParseRule(file string, src []byte) (Rule, error) {
	doc, err := strict.Parse(file, src)
	if err != nil {
		return Rule{}, err
	}
	var f ruleFile
	doc.Decode(&f)
	c := ruleCheck{doc: doc, f: &f, depths: map[string]int{}}
	c.head()
	c.values()
	for i, p := range f.Preconditions {
		c.clause(fmt.Sprintf("preconditions[%d]", i), p)
	}
	c.group("pass", f.Pass, 1)
	if c.clauses > maxClauses {
		doc.Problem("pass", "", "%d clauses and groups with the preconditions, and %d are the most", c.clauses, maxClauses)
	}
	if err := doc.Err(); err != nil {
		return Rule{}, err
	}
	return Rule{
		Name: f.Rule, Title: f.Title, Source: f.Source, Edition: f.Edition, Unit: f.Unit, UnitBy: f.UnitBy,
		ConfirmedBy: confirmed(f.ConfirmedBy), Validity: f.Validity, Policy: f.Policy, Smallest: f.Smallest,
		NotChecked: f.NotChecked, Notes: f.Notes,
		only: f.Filters, values: f.Values, preconditions: f.Preconditions, pass: f.Pass,
	}, nil
}

// ruleCheck finds what is wrong with a rule by meaning.
type ruleCheck struct {
	doc     *strict.Document
	f       *ruleFile
	depths  map[string]int // of the values that are sound, 0 while under way
	clauses int            // clauses and groups so far
}

// nobody is what a file says in confirmed_by as long as its rule is a suggestion.
const nobody = "nobody"

func confirmed(by string) string {
	if by == nobody {
		return ""
	}
	return by
}

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	valueForm    = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	validityForm = regexp.MustCompile(`^([1-9][0-9]{0,3} (day|month|year)s?|` + Unknown + `)$`)
)

// head checks all that stands before the numbers.
func (c *ruleCheck) head() {
	f := c.f
	if !nameForm.MatchString(f.Rule) || len(f.Rule) > maxName {
		c.doc.Problem("rule", "the name of the file without its ending", "a name of small letters, digits and '-' is expected, not %s", strict.Quote(f.Rule))
	}
	if f.ConfirmedBy == "" || len(f.ConfirmedBy) > maxName {
		c.doc.Problem("confirmed_by", "nobody, until your own authority confirms the rule", "says who confirmed the rule, in 1 to %d letters", maxName)
	}
	if !validityForm.MatchString(f.Validity) {
		c.doc.Problem("validity", "such as '1 year', or unknown", "says how long a pass counts, not %s", strict.Quote(f.Validity))
	}
	for _, text := range []struct{ path, text string }{{"title", f.Title}, {"source", f.Source}, {"edition", f.Edition}} {
		if text.text == "" || len(text.text) > maxText {
			c.doc.Problem(text.path, "or unknown", "1 to %d letters are expected", maxText)
		}
	}
	for _, list := range []struct {
		path  string
		texts []string
	}{{"not_checked", f.NotChecked}, {"notes", f.Notes}} {
		if len(list.texts) > maxTexts {
			c.doc.Problem(list.path, "", "%d entries, and %d are the most", len(list.texts), maxTexts)
		}
		for i, text := range list.texts {
			if text == "" || len(text) > maxText {
				c.doc.Problem(fmt.Sprintf("%s[%d]", list.path, i), "", "1 to %d letters are expected", maxText)
			}
		}
	}
	by := []string{BySource, ByAssumption}
	for _, word := range []struct {
		path, got string
		known     []string
	}{
		{"unit", f.Unit, []string{UnitPresentation, UnitRun}},
		{"unit_by", f.UnitBy, by},
		{"policy.by", f.Policy.By, by},
		{"smallest_test.by", f.Smallest.By, by},
	} {
		c.word(word.path, word.got, word.known)
	}
	for _, policy := range []struct {
		path  string
		got   event.Policy
		known []event.Policy
	}{
		{"policy.not_sampled", f.Policy.NotSampled, []event.Policy{event.PolicyLeftOut, event.PolicyMiss}},
		{"policy.inconclusive", f.Policy.Inconclusive, []event.Policy{event.PolicyLeftOut, event.PolicyWrong}},
		{"policy.time_out", f.Policy.TimeOut, []event.Policy{event.PolicyMiss, event.PolicyLeftOut}},
		{"policy.void", f.Policy.Void, []event.Policy{event.PolicyLeftOut}},
	} {
		c.word(policy.path, string(policy.got), strict.Texts(policy.known))
	}
	for i, b := range f.Filters.Blindness {
		c.word(fmt.Sprintf("filters.blindness[%d]", i), string(b), strict.Texts(event.Modes()))
	}
	if f.Smallest.Targets < 0 || f.Smallest.NonTargets < 0 || f.Smallest.Targets+f.Smallest.NonTargets == 0 {
		c.doc.Problem("smallest_test", "", "counts of 0 or more are expected, not all of them 0")
	}
}

// word checks one of a few words.
func (c *ruleCheck) word(path, got string, known []string) {
	if !slices.Contains(known, got) {
		c.doc.Problem(path, strict.DidYouMean(got, known), "one of %s is expected, not %s", strings.Join(known, ", "), strict.Quote(got))
	}
}

// values checks the values that the file defines.
func (c *ruleCheck) values() {
	if len(c.f.Values) > maxValues {
		c.doc.Problem("values", "", "%d values are more than %d", len(c.f.Values), maxValues)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.f.Values)) {
		path := "values." + name
		if !valueForm.MatchString(name) {
			c.doc.Problem(path, "", "a name of small letters, digits and '_' is expected")
		}
		if _, taken := counts[name]; taken {
			c.doc.Problem(path, "take another name", "is what the station itself counts")
		}
		c.value(name)
	}
}

// value checks one value and what it is made of, once, and returns how deep it is made of others.
func (c *ruleCheck) value(name string) int {
	path := "values." + name
	if depth, known := c.depths[name]; known {
		if depth == 0 {
			c.doc.Problem(path, "", "is made of itself")
		}
		return depth
	}
	c.depths[name] = 0
	v := c.f.Values[name]
	kind, of := v.parts()
	if kind == "" {
		c.doc.Problem(path, "", "exactly one of ratio, difference, sum is expected, with at least two parts")
	}
	if kind != "sum" && kind != "" && len(of) != 2 {
		c.doc.Problem(path, "", "a %s has two parts, not %d", kind, len(of))
	}
	depth := 0
	for i, part := range of {
		depth = max(depth, c.number(fmt.Sprintf("%s.%s[%d]", path, kind, i), part))
	}
	c.depths[name] = depth + 1
	if depth+1 > maxDepth {
		c.doc.Problem(path, "", "values are made of values more than %d deep", maxDepth)
	}
	return depth + 1
}

// parts returns the one list that is given.
func (v value) parts() (kind string, of []string) {
	given := 0
	for _, one := range []struct {
		kind string
		of   []string
	}{{"ratio", v.Ratio}, {"difference", v.Difference}, {"sum", v.Sum}} {
		if len(one.of) > 0 {
			kind, of, given = one.kind, one.of, given+1
		}
	}
	if given != 1 || len(of) < 2 || len(of) > maxValues {
		return "", nil
	}
	return kind, of
}

// number checks the name of a count or a value, and returns how deep it is made of others.
func (c *ruleCheck) number(path, name string) int {
	if count, ok := counts[name]; ok {
		if count.unit != c.f.Unit {
			c.doc.Problem(path, "", "%s counts by the %s, this rule by the %s", name, count.unit, strict.Quote(c.f.Unit))
		}
		return 0
	}
	if _, ok := c.f.Values[name]; ok {
		return c.value(name)
	}
	known := slices.Concat(slices.Sorted(maps.Keys(c.f.Values)), slices.Sorted(maps.Keys(counts)))
	c.doc.Problem(path, strict.DidYouMean(name, known), "there is no number %s", strict.Quote(name))
	return 0
}

// clause checks one comparison.
func (c *ruleCheck) clause(path string, one clause) {
	c.name(path, one.Name)
	if one.isGroup() {
		c.doc.Problem(path, "", "a single clause is expected, not a group")
		return
	}
	c.number(path+".value", one.Value)
	given := 0
	for _, d := range []*decimal{one.AtLeast, one.AtMost, one.Exactly} {
		if d != nil {
			given++
		}
	}
	if given != 1 {
		c.doc.Problem(path, "", "exactly one of at_least, at_most, exactly is expected")
	}
	if one.ForEach == "" {
		return
	}
	c.word(path+".for_each", one.ForEach, []string{forEachOdour})
	if name := c.notByOdour(one.Value, map[string]bool{}); name != "" {
		c.doc.Problem(path+".for_each", "", "%s cannot be told apart by target odour", name)
	}
}

// notByOdour returns a count that a number is made of and that does not count targets, "" when there is none.
func (c *ruleCheck) notByOdour(name string, seen map[string]bool) string {
	if count, ok := counts[name]; ok {
		if !count.byOdour {
			return name
		}
		return ""
	}
	if seen[name] {
		return ""
	}
	seen[name] = true
	_, of := c.f.Values[name].parts()
	for _, part := range of {
		if bad := c.notByOdour(part, seen); bad != "" {
			return bad
		}
	}
	return ""
}

// group checks a group and its members.
func (c *ruleCheck) group(path string, g clause, depth int) {
	if depth > maxNested {
		c.doc.Problem(path, "", "groups are nested deeper than %d", maxNested)
		return
	}
	if (len(g.All) > 0) == (len(g.Any) > 0) {
		c.doc.Problem(path, "", "either all or any is expected, with at least one clause")
	}
	if g.Value != "" || g.ForEach != "" || g.AtLeast != nil || g.AtMost != nil || g.Exactly != nil {
		c.doc.Problem(path, "", "is a clause or a group, not both")
	}
	for _, list := range []struct {
		path    string
		members []clause
	}{{path + ".all", g.All}, {path + ".any", g.Any}} {
		for i, m := range list.members {
			below := fmt.Sprintf("%s[%d]", list.path, i)
			if !m.isGroup() {
				c.clause(below, m)
				continue
			}
			c.name(below, m.Name)
			c.group(below, m, depth+1)
		}
	}
}

// name checks the name of a clause or group, which the verdict prints, and counts it.
func (c *ruleCheck) name(path, name string) {
	c.clauses++
	if name == "" || len(name) > maxName {
		c.doc.Problem(path+".name", "", "a name of 1 to %d letters is expected", maxName)
	}
}
