package control

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"scentpost/station/blind"
	"scentpost/station/event"
	"scentpost/station/score"
)

// rulePlan is a plan of a line-up with a rule; what is given stands in place of its numbers.
func rulePlan(t *testing.T, changes ...string) blind.Plan {
	t.Helper()
	text := `plan: Ruled
form: lineup
mode: double
positions: 3
runs: 6
reserve: 2
loading: {each_position: [tnt, c4, glove, blank]}
targets: {odours: [tnt, c4], per_run: 0..2, per_session: 4..8}
distractors: {odours: [glove], per_run: 0..1}
balance: {odours: true}
limits: {run: 20s, dwell: 3s}
rule: a-rule
`
	plan, err := blind.ParsePlan("ruled.yaml", []byte(strings.NewReplacer(changes...).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// ruleOf is a rule with these preconditions, which everything passes.
func ruleOf(preconditions string, changes ...string) []byte {
	text := `rule: a-rule
title: A rule
source: nowhere
edition: unknown
confirmed_by: nobody
unit: presentation
unit_by: our assumption
validity: unknown
policy: {not_sampled: left-out, inconclusive: left-out, time_out: miss, void: left-out, by: our assumption}
smallest_test: {targets: 1, non_targets: 0, by: our assumption}
preconditions:
` + preconditions + `
pass: {all: [{name: misses, value: misses, at_least: 0}]}
`
	return []byte(strings.NewReplacer(changes...).Replace(text))
}

// TestAPlanThatCannotMeetItsRuleIsRefused: with the numbers, at its place; and what might just be met is not.
func TestAPlanThatCannotMeetItsRuleIsRefused(t *testing.T) {
	uk, err := os.ReadFile("../../configs/rules/uk-short-odour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	is := func(value, need string) []byte { return ruleOf("  - {name: it, value: " + value + ", " + need + "}") }
	each := func(need string) []byte { return is("targets, for_each: odour", need) }
	byRun := []string{"unit: presentation", "unit: run", "value: misses", "value: wrong_runs"}
	runs := func(value, need string) []byte {
		return ruleOf("  - {name: it, value: "+value+", "+need+"}", byRun...)
	}
	unbalanced := []string{"balance: {odours: true}", "balance: {odours: false}"}
	for name, c := range map[string]struct {
		rule []byte
		plan []string
		want string // "" where it can be met
	}{
		"too few of both": {uk, nil, "ruled.yaml:12:7: rule: whatever is drawn, a test by this plan cannot meet the rule uk-short-odour: " +
			"presentations of each target odour: at least 5 needed, at most 4 reached; presentations of non-targets: at least 20 needed, at most 14 reached " +
			"(change runs, positions or targets (reserve runs add none), or take rule away for a session without a verdict)"},
		"enough runs":                   {uk, []string{"runs: 6", "runs: 20", "4..8", "10..12"}, ""},
		"one odour may have all":        {each("at_least: 8"), unbalanced, ""},
		"not more than all":             {each("at_least: 9"), unbalanced, "at least 9 needed, at most 8 reached"},
		"of each, balanced":             {each("at_least: 4"), nil, ""},
		"of each at most":               {each("at_most: 1"), nil, "at most 1 needed, at least 2 reached"},
		"of each at most, unbalanced":   {each("at_most: 2"), unbalanced, ""},
		"of each exactly":               {each("exactly: 3"), nil, ""},
		"of each exactly, odd":          {each("exactly: 4"), []string{"4..8", "7"}, "exactly 4 needed"},
		"targets":                       {is("targets", "at_least: 9"), nil, "at least 9 needed, at most 8 reached"},
		"targets, just":                 {is("targets", "at_least: 8"), nil, ""},
		"a half target":                 {is("targets", "exactly: 5.5"), nil, "exactly 5.5 needed, 4 to 8 reached"},
		"few targets":                   {is("targets", "at_most: 3"), nil, "at most 3 needed, at least 4 reached"},
		"distractors":                   {is("distractors", "at_least: 7"), nil, "at most 6 reached"},
		"blanks":                        {is("blanks", "at_most: 3"), nil, "at least 4 reached"},
		"hits of the dog":               {is("hits", "at_least: 9"), nil, "at most 8 reached"},
		"runs":                          {runs("runs", "exactly: 7"), nil, "exactly 7 needed, 6 reached"},
		"runs with a target":            {runs("target_runs", "at_most: 1"), nil, "at least 2 reached"},
		"runs without one":              {runs("blank_runs", "at_least: 5"), nil, "at most 4 reached"},
		"runs of the dog":               {runs("correct_runs", "exactly: 6"), nil, ""},
		"each by itself, not together":  {ruleOf("  - {name: a, value: targets, at_least: 8}\n  - {name: b, value: non_targets, at_least: 11}"), nil, "all counts together"},
		"each, and together":            {ruleOf("  - {name: a, value: targets, at_least: 7}\n  - {name: b, value: non_targets, at_least: 11}"), nil, ""},
		"a pass that nobody reaches":    {ruleOf("  - {name: a, value: targets, at_least: 1}", "value: misses, at_least: 0", "value: hits, at_least: 9"), nil, "misses: at least 9 needed, at most 8 reached"},
		"an odour that is not there":    {ruleOf("  - {name: it, value: targets, for_each: odour, at_least: 1}", "policy:", "filters: {odours: [rdx]}\npolicy:"), nil, "at most 0 reached"},
		"an odour that is":              {ruleOf("  - {name: it, value: targets, at_least: 4}", "policy:", "filters: {odours: [tnt]}\npolicy:"), nil, ""},
		"more of it than there can be":  {ruleOf("  - {name: it, value: targets, at_least: 5}", "policy:", "filters: {odours: [tnt]}\npolicy:"), nil, "at most 4 reached"},
		"blinder than is meant":         {ruleOf("  - {name: it, value: targets, at_least: 1}", "policy:", "filters: {blindness: [double]}\npolicy:"), []string{"mode: double", "mode: single"}, "at most 0 reached"},
		"as blind as is meant":          {ruleOf("  - {name: it, value: targets, at_least: 1}", "policy:", "filters: {blindness: [double]}\npolicy:"), nil, ""},
		"what depends on the dog alone": {ruleOf("  - {name: it, value: share, at_least: 2}", "preconditions:", "values: {share: {ratio: [hits, decided_targets]}}\npreconditions:"), nil, ""},
	} {
		err := CheckPlan("ruled.yaml", rulePlan(t, c.plan...), c.rule)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestWhatIsRefusedNobodyCouldPass: over many plans and rules, no draw of a refused one is passed by a dog that finds all, one
// that finds nothing and one that finds some.
func TestWhatIsRefusedNobodyCouldPass(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	pick := func(all ...string) string { return all[chance.IntN(len(all))] }
	refused, passed := 0, 0
	for range 200 {
		low := chance.IntN(5)
		plan := rulePlan(t, "runs: 6", fmt.Sprint("runs: ", 4+chance.IntN(4)), "4..8", fmt.Sprintf("%d..%d", low, low+chance.IntN(4)),
			"{odours: true}", "{odours: "+pick("true", "false")+"}", "mode: double", "mode: "+pick("open", "single", "double"))
		one := func() string {
			return fmt.Sprintf("  - {name: it, value: %s, %s: %d}", pick("targets", "targets, for_each: odour", "non_targets", "distractors", "blanks", "hits"),
				pick("at_least", "at_most", "exactly"), chance.IntN(16))
		}
		filter := pick("policy:", "policy:", "filters: {odours: [tnt]}\npolicy:", "filters: {odours: [tnt, c4]}\npolicy:", "filters: {blindness: [single, double]}\npolicy:")
		rule := ruleOf(one()+"\n"+one(), "policy:", filter)
		err := CheckPlan("ruled.yaml", plan, rule)
		if err != nil {
			refused++
		}
		for range 20 {
			var seed [32]byte
			for i := range seed {
				seed[i] = byte(chance.Uint32())
			}
			deal, drawErr := blind.Draw(plan, plan.Loading(), seed)
			if drawErr != nil {
				t.Fatal(drawErr)
			}
			for finds := range 3 {
				if score.Judge(string(rule), searched(deal, finds, plan.Mode)).Verdict != score.Pass {
					continue
				}
				if passed++; err != nil {
					t.Fatalf("a test was passed and the plan is refused: %v\n%s\n%s", err, plan.Text, rule)
				}
			}
		}
	}
	if refused < 25 || passed < 25 {
		t.Errorf("%d refused, %d passed: this tries nothing", refused, passed)
	}
}

// searched is what a dog makes of a deal that finds no target, each second one, or all.
func searched(deal blind.Deal, finds int, mode event.Mode) []event.RunResult {
	var all []event.RunResult
	n := 0
	for _, p := range deal.Scheduled {
		r := event.RunResult{Result: score.Correct, EffectiveBlind: mode}
		for _, slot := range p.Reveal() {
			one := event.Presentation{Position: slot.Position, Kind: slot.Kind, Odour: slot.Odour, Outcome: event.CorrectRejection}
			if slot.Kind == event.Target {
				one.Outcome = event.Miss
				if n++; finds == 2 || finds == 1 && n%2 == 0 {
					one.Outcome = event.Hit
				}
			}
			r.Presentations = append(r.Presentations, one)
		}
		all = append(all, r)
	}
	return all
}
