package score

import (
	"maps"
	"slices"

	"scentpost/station/event"
)

// count is a number that the station itself counts.
type count struct {
	unit    string
	byOdour bool // it counts targets, and can count those of one odour
	of      func(t tallies) int
}

// counts are the numbers that rules are made of. What ends in _targets or _non_targets counts presentations of
// completed runs; decided ones were right or wrong under the rule's policy, the others are sampled or not.
var counts = map[string]count{
	"targets":             {UnitPresentation, true, func(t tallies) int { return t.targets }},
	"hits":                {UnitPresentation, true, func(t tallies) int { return t.hits }},
	"misses":              {UnitPresentation, true, func(t tallies) int { return t.misses }},
	"decided_targets":     {UnitPresentation, true, func(t tallies) int { return t.hits + t.misses }},
	"non_targets":         {UnitPresentation, false, func(t tallies) int { return t.nonTargets }},
	"distractors":         {UnitPresentation, false, func(t tallies) int { return t.distractors }},
	"blanks":              {UnitPresentation, false, func(t tallies) int { return t.nonTargets - t.distractors }},
	"false_alerts":        {UnitPresentation, false, func(t tallies) int { return t.falseAlerts }},
	"correct_rejections":  {UnitPresentation, false, func(t tallies) int { return t.rejections }},
	"decided_non_targets": {UnitPresentation, false, func(t tallies) int { return t.falseAlerts + t.rejections }},
	"runs":                {UnitRun, false, func(t tallies) int { return t.runs }},
	"target_runs":         {UnitRun, false, func(t tallies) int { return t.targetRuns }},
	"blank_runs":          {UnitRun, false, func(t tallies) int { return t.runs - t.targetRuns }},
	"correct_runs":        {UnitRun, false, func(t tallies) int { return t.correctRuns }},
	"wrong_runs":          {UnitRun, false, func(t tallies) int { return t.wrongRuns }},
	"decided_runs":        {UnitRun, false, func(t tallies) int { return t.correctRuns + t.wrongRuns }},
	"missed_runs":         {UnitRun, false, func(t tallies) int { return t.missedRuns }},
	"false_alert_runs":    {UnitRun, false, func(t tallies) int { return t.falseRuns }},
}

// tallies are the sums behind the counts.
type tallies struct {
	targets, hits, misses                            int
	nonTargets, distractors, falseAlerts, rejections int
	runs, targetRuns, correctRuns, wrongRuns         int
	missedRuns, falseRuns                            int // with at least one miss, one false alert
}

// census counts completed runs under a rule's filters and policy.
type census struct {
	all     tallies
	byOdour map[string]*tallies // of the target odours that stood there or that the rule names
}

func takeCensus(rule Rule, runs []event.RunResult) census {
	c := census{byOdour: map[string]*tallies{}}
	for _, odour := range rule.only.Odours {
		c.byOdour[odour] = new(tallies) // one that the rule names and that never stood there has 0 presentations
	}
	for _, r := range runs {
		if r.Result == Void || (len(rule.only.Blindness) > 0 && !slices.Contains(rule.only.Blindness, r.EffectiveBlind)) {
			continue
		}
		c.run(rule, r)
	}
	return c
}

// odours returns the target odours in order.
func (c census) odours() []string { return slices.Sorted(maps.Keys(c.byOdour)) }

func (c *census) run(rule Rule, r event.RunResult) {
	t := &c.all
	targets, misses, falses, doubted := t.targets, t.misses, t.falseAlerts, false
	for _, p := range r.Presentations {
		if p.Kind != event.Target {
			t.nonTarget(p.Kind, p.Outcome)
			doubted = doubted || p.Outcome == event.Inconclusive
			continue
		}
		if len(rule.only.Odours) > 0 && !slices.Contains(rule.only.Odours, p.Odour) {
			continue
		}
		if c.byOdour[p.Odour] == nil {
			c.byOdour[p.Odour] = new(tallies)
		}
		t.target(rule.Policy.outcome(p))
		c.byOdour[p.Odour].target(rule.Policy.outcome(p))
	}
	if doubted && rule.Policy.Inconclusive == event.PolicyWrong && t.falseAlerts == falses {
		t.falseAlerts++ // one for all of them: a call at no one position is no alert at each
	}
	t.runs++
	if t.targets > targets {
		t.targetRuns++
	}
	if t.misses > misses {
		t.missedRuns++
	}
	if t.falseAlerts > falses {
		t.falseRuns++
	}
	switch {
	case r.Result == Correct:
		t.correctRuns++
	case r.Result == Wrong, r.Result == Inconclusive && rule.Policy.Inconclusive == event.PolicyWrong:
		t.wrongRuns++
	}
}

// outcome applies a policy to a target that was neither hit nor passed over for certain.
func (p Policy) outcome(one event.Presentation) event.Outcome {
	switch {
	case one.Outcome == event.NotSampled && p.NotSampled == event.PolicyMiss:
		return event.Miss
	case one.Outcome == event.Miss && one.Flag == FlagTimeOut && p.TimeOut == event.PolicyLeftOut:
		return event.NotSampled
	case one.Outcome == event.Inconclusive && p.Inconclusive == event.PolicyWrong:
		return event.Miss
	}
	return one.Outcome
}

func (t *tallies) target(o event.Outcome) {
	t.targets++
	switch o {
	case event.Hit:
		t.hits++
	case event.Miss:
		t.misses++
	}
}

func (t *tallies) nonTarget(kind event.Kind, o event.Outcome) {
	t.nonTargets++
	if kind == event.Distractor {
		t.distractors++
	}
	switch o {
	case event.FalseAlert:
		t.falseAlerts++
	case event.CorrectRejection:
		t.rejections++
	}
}
