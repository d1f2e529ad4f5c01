package control

import (
	"fmt"
	"strings"

	"scentpost/station/blind"
	"scentpost/station/score"
	"scentpost/station/strict"
)

// CheckPlan tells whether a session by a plan can be held and recorded at all: each line of its record is short enough,
// and a test can meet the plan's own pass rule. file is the plan's name in errors, and rule the bytes of the rule's file,
// nil without one. A session whose test cannot be valid, whatever is drawn, would cost a dog's day for nothing. The error
// wraps a *strict.Problems.
func CheckPlan(file string, plan blind.Plan, rule []byte) error {
	if err := checkLines(file, plan, rule); err != nil || rule == nil {
		return err
	}
	parsed, err := score.ParseRule(plan.Rule, rule)
	if err != nil {
		return err
	}
	short := parsed.Unreachable(testOf(plan))
	if short == nil {
		return nil
	}
	doc, err := strict.Parse(file, plan.Text)
	if err != nil {
		return err
	}
	var all []string
	for _, s := range short {
		all = append(all, fmt.Sprintf("%s: %s needed, %s reached", s.Name, s.Need, s.Reached))
	}
	doc.Problem("rule", "change runs, positions or targets (reserve runs add none), or take rule away for a session without a verdict",
		"whatever is drawn, a test by this plan cannot meet the rule %s: %s", parsed.Name, strings.Join(all, "; "))
	return doc.Err()
}

// testOf returns what a plan lets a test present.
func testOf(p blind.Plan) score.Test {
	times := func(r blind.Range) score.Span { return score.Span{Min: p.Runs * r.Min, Max: p.Runs * r.Max} }
	return score.Test{Runs: p.Runs, Positions: p.Positions, Targets: score.Span(p.SessionTargets()), TargetsPerRun: score.Span(p.Targets.PerRun),
		Distractors: times(p.Distractors.PerRun), Odours: p.Targets.Odours, Balanced: p.Balance.Odours, Mode: p.Mode}
}
