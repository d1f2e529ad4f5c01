package score

import (
	"fmt"
	"math/big"
	"strconv"

	"scentpost/station/event"
)

// The verdicts, in event.Verdict.Verdict.
const (
	Pass     = "pass"
	Fail     = "fail"
	NotValid = "not a valid test"
	NoRule   = "no rule"
)

// Words of a clause's Need and Got where there is no number.
const (
	undefined  = "undefined" // nothing was counted that it could be a ratio of
	checked    = "checked"
	notChecked = "not checked"
)

// digits are the decimals that ratios are printed with; comparisons are exact.
const digits = 6

// Judge is Verdict for the exact bytes of a rule file, as a session was opened with it; "" is no rule. Bytes that
// are no rule give NotValid: ParseRule says what is wrong with them.
func Judge(src string, runs []event.RunResult) event.Verdict {
	if src == "" {
		v := tally(runs)
		v.Verdict = NoRule
		return v
	}
	rule, err := ParseRule("rule", []byte(src))
	if err != nil {
		v := tally(runs)
		v.Verdict, v.Clauses = NotValid, []event.Clause{{Name: "the rule can be read", Need: "a rule file", Got: "something else"}}
		return v
	}
	return Verdict(rule, runs)
}

// Verdict applies a pass rule to the completed runs of a test. The counts are of outcomes as they are, before the
// rule's filters and policy; the clauses are numbers after them. Preconditions come first, then the clauses in the
// file's order; what the rule asks for and nobody checked comes last, unmet, and does not change the verdict.
//
// A test is not valid when a precondition is unmet, or when no clause failed for certain and one had nothing that
// it could be a ratio of.
func Verdict(rule Rule, runs []event.RunResult) event.Verdict {
	v := tally(runs)
	v.Rule, v.ConfirmedBy = rule.Name, rule.ConfirmedBy
	j := judging{rule: rule, census: takeCensus(rule, runs), clauses: []event.Clause{}}
	valid := j.completed()
	for _, c := range rule.preconditions {
		valid = j.clause(c) == yes && valid
	}
	passed := j.group(rule.pass)
	for _, text := range rule.NotChecked {
		j.clauses = append(j.clauses, event.Clause{Name: text, Need: checked, Got: notChecked})
	}
	v.Clauses = j.clauses
	switch {
	case !valid || passed == open:
		v.Verdict = NotValid
	case passed == yes:
		v.Verdict = Pass
	default:
		v.Verdict = Fail
	}
	return v
}

// tally counts the outcomes.
func tally(runs []event.RunResult) event.Verdict {
	v := event.Verdict{Clauses: []event.Clause{}}
	for _, r := range runs {
		for _, p := range r.Presentations {
			switch p.Outcome {
			case event.Hit:
				v.Hits++
			case event.Miss:
				v.Misses++
			case event.FalseAlert:
				v.False++
			case event.CorrectRejection:
				v.Correct++
			}
		}
	}
	return v
}

// truth is whether a clause is met; open when there was nothing to tell it from.
type truth int

const (
	no truth = iota
	open
	yes
)

// judging applies one rule to one census.
type judging struct {
	rule    Rule
	census  census
	clauses []event.Clause
}

// completed is the precondition of every rule.
func (j *judging) completed() bool {
	runs := j.census.all.runs
	if runs == 0 {
		j.clauses = append(j.clauses, event.Clause{Name: "completed runs", Need: "at least 1", Got: "0"})
	}
	return runs > 0
}

// clause compares, once or for each odour, and lists the numbers.
func (j *judging) clause(c clause) truth {
	if c.ForEach == "" {
		return j.compare(c, c.Name, j.census.all)
	}
	met := yes
	odours := j.census.odours()
	for _, odour := range odours {
		met = min(met, j.compare(c, c.Name+": "+odour, *j.census.byOdour[odour]))
	}
	if len(odours) == 0 {
		j.list(c.Name, c, undefined, open)
		return open
	}
	return met
}

func (j *judging) compare(c clause, name string, t tallies) truth {
	got, whole := arithmetic{values: j.rule.values, tallies: t, known: map[string]exactly{}}.number(c.Value)
	if got == nil {
		j.list(name, c, undefined, open)
		return open
	}
	met := no
	if c.holds(got) {
		met = yes
	}
	text := got.FloatString(digits)
	if whole {
		text = got.Num().String()
	}
	j.list(name, c, text, met)
	return met
}

func (j *judging) list(name string, c clause, got string, met truth) {
	j.clauses = append(j.clauses, event.Clause{Name: name, Need: c.need(), Got: got, Met: met == yes})
}

func (c clause) need() string {
	switch {
	case c.AtLeast != nil:
		return "at least " + c.AtLeast.text
	case c.AtMost != nil:
		return "at most " + c.AtMost.text
	}
	return "exactly " + c.Exactly.text
}

func (c clause) holds(got *big.Rat) bool {
	switch {
	case c.AtLeast != nil:
		return got.Cmp(&c.AtLeast.exact) >= 0
	case c.AtMost != nil:
		return got.Cmp(&c.AtMost.exact) <= 0
	}
	return got.Cmp(&c.Exactly.exact) == 0
}

// group judges the members of a group and tells whether all, or any, are met.
func (j *judging) group(g clause) truth {
	if len(g.All) > 0 {
		met := yes
		for _, m := range g.All {
			met = min(met, j.member(m))
		}
		return met
	}
	met := no
	for _, m := range g.Any {
		met = max(met, j.member(m))
	}
	return met
}

// member judges a clause or a group; a group stands as a line of its own before its members.
func (j *judging) member(m clause) truth {
	if !m.isGroup() {
		return j.clause(m)
	}
	at := len(j.clauses)
	j.clauses = append(j.clauses, event.Clause{})
	met := j.group(m)
	below, fulfilled := j.clauses[at+1:], 0
	for _, c := range below {
		if c.Met {
			fulfilled++
		}
	}
	how := "all"
	if len(m.Any) > 0 {
		how = "any"
	}
	j.clauses[at] = event.Clause{Name: m.Name, Need: fmt.Sprintf("%s of the next %d", how, len(below)), Got: strconv.Itoa(fulfilled), Met: met == yes}
	return met
}
