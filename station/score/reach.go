package score

import (
	"fmt"
	"math/big"
	"slices"

	"scentpost/station/event"
)

// Span is a number between two others, both of which it may be.
type Span struct{ Min, Max int }

// Test is what a plan lets a test present, when every one of its runs is completed. A reserve run stands in for one that
// was void, and adds nothing.
type Test struct {
	Runs, Positions int
	Targets         Span // in all runs together
	TargetsPerRun   Span
	Distractors     Span       // in all runs together, where there is room for them
	Odours          []string   // of the targets
	Balanced        bool       // the numbers of the target odours differ by at most one
	Mode            event.Mode // the blindness that is intended; no run is more blind
}

// Shortfall is a clause of a rule that no test of a plan can meet.
type Shortfall struct {
	Name, Need string // as in a verdict
	Reached    string // the nearest that a test comes to it: "at most 14"
}

// Unreachable returns what of a rule no test can meet, whatever is drawn and whatever the dog does, so that it cannot be
// passed; nil when there is nothing. Only counts are looked at, in the preconditions and in what a pass needs in any case:
// what is returned is certain, and a rule may be out of reach for other reasons.
func (r Rule) Unreachable(t Test) []Shortfall {
	clauses := slices.Clone(r.preconditions)
	for _, c := range r.pass.All {
		if !c.isGroup() {
			clauses = append(clauses, c)
		}
	}
	got := make([]Span, len(clauses))    // over all numbers of targets
	always := make([]bool, len(clauses)) // out of reach with every number of targets
	together := true                     // with every number some clause is out of reach
	for n := t.Targets.Min; n <= t.Targets.Max; n++ {
		missed := false
		for i, c := range clauses {
			span, known := r.reach(c, t, n)
			miss := known && !c.within(span)
			if n == t.Targets.Min {
				got[i], always[i] = span, miss
			}
			got[i].Min, got[i].Max = min(got[i].Min, span.Min), max(got[i].Max, span.Max)
			always[i], missed = always[i] && miss, missed || miss
		}
		together = together && missed
	}
	if !together {
		return nil
	}
	var short []Shortfall
	for i, c := range clauses {
		if always[i] {
			short = append(short, Shortfall{Name: c.Name, Need: c.need(), Reached: c.nearest(got[i])})
		}
	}
	if short == nil {
		short = []Shortfall{{Name: "all counts together", Need: "one number of targets that serves them all", Reached: "none"}}
	}
	return short
}

// within tells whether some number of a span meets a clause.
func (c clause) within(s Span) bool {
	low, high := new(big.Rat).SetInt64(int64(s.Min)), new(big.Rat).SetInt64(int64(s.Max))
	switch {
	case c.AtLeast != nil:
		return c.holds(high)
	case c.AtMost != nil:
		return c.holds(low)
	}
	return c.Exactly.exact.IsInt() && low.Cmp(&c.Exactly.exact) <= 0 && high.Cmp(&c.Exactly.exact) >= 0
}

// nearest says how near a span comes to a clause.
func (c clause) nearest(s Span) string {
	switch {
	case c.AtLeast != nil:
		return fmt.Sprintf("at most %d", s.Max)
	case c.AtMost != nil:
		return fmt.Sprintf("at least %d", s.Min)
	case s.Min == s.Max:
		return fmt.Sprint(s.Min)
	}
	return fmt.Sprintf("%d to %d", s.Min, s.Max)
}

// reach returns what the number of a clause can be in a test with so many targets; false where that is not known.
func (r Rule) reach(c clause, t Test, targets int) (Span, bool) {
	one := r.kept(t, targets)
	if c.ForEach != "" {
		one = r.ofEach(t, targets)
	}
	others := t.Runs*t.Positions - targets
	distractors := Span{min(t.Distractors.Min, others), min(t.Distractors.Max, others)}
	runs := Span{t.Runs, t.Runs}
	withTarget := Span{Min: ceil(one.Min, t.TargetsPerRun.Max), Max: min(t.Runs, one.Max)}
	span, known := map[string]Span{
		"targets": one, "hits": {0, one.Max}, "misses": {0, one.Max}, "decided_targets": {0, one.Max},
		"non_targets": {others, others}, "distractors": distractors, "blanks": {others - distractors.Max, others - distractors.Min},
		"false_alerts": {0, others}, "correct_rejections": {0, others}, "decided_non_targets": {0, others},
		"runs": runs, "target_runs": withTarget, "blank_runs": {t.Runs - withTarget.Max, t.Runs - withTarget.Min},
		"correct_runs": {0, t.Runs}, "wrong_runs": {0, t.Runs}, "decided_runs": {0, t.Runs}, "missed_runs": {0, withTarget.Max},
		"false_alert_runs": {0, t.Runs},
	}[c.Value]
	return r.blindEnough(t, span), known
}

// kept returns how many of the targets are of the odours that the rule counts.
func (r Rule) kept(t Test, targets int) Span {
	n, of := r.odours(t), len(t.Odours)
	switch {
	case n == of:
		return Span{targets, targets}
	case n == 0:
		return Span{}
	case t.Balanced:
		return Span{n * (targets / of), min(targets, n*ceil(targets, of))}
	}
	return Span{0, targets}
}

// odours returns how many of the target odours the rule counts.
func (r Rule) odours(t Test) (n int) {
	for _, odour := range t.Odours {
		if len(r.only.Odours) == 0 || slices.Contains(r.only.Odours, odour) {
			n++
		}
	}
	return n
}

// ofEach bounds the targets of each odour that is looked at by itself, so that a clause which no number of the span meets
// fails for one of them: the scarcest odour has Max at the most, the most frequent one Min at the least.
func (r Rule) ofEach(t Test, targets int) Span {
	of, named := len(t.Odours), len(r.only.Odours)
	switch {
	case targets == 0, r.odours(t) < named: // an odour that the rule names and the plan does not have is never there
		return Span{}
	case t.Balanced && named == 0:
		return Span{ceil(targets, of), max(1, targets/of)} // one that never stood there is not looked at
	case t.Balanced:
		return Span{targets / of, ceil(targets, of)}
	case named > 0:
		return Span{0, targets / named}
	}
	return Span{ceil(targets, of), targets}
}

// blindEnough takes runs out that the rule does not count for their blindness.
func (r Rule) blindEnough(t Test, s Span) Span {
	if len(r.only.Blindness) == 0 {
		return s
	}
	if !slices.ContainsFunc(r.only.Blindness, func(b event.Mode) bool { return !b.Blinder(t.Mode) }) {
		return Span{}
	}
	return Span{0, s.Max}
}

// ceil divides and rounds up; by nothing it is 0.
func ceil(a, b int) int {
	if b == 0 {
		return 0
	}
	return (a + b - 1) / b
}
