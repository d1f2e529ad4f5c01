package score_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/score"
	"scentpost/station/strict"

	"pgregory.net/rapid"
)

// TestRulesAreBounded: what a rule may cost a station, or its record, is refused at its place.
func TestRulesAreBounded(t *testing.T) {
	const clause = "{name: hits, value: hits, at_least: 19}"
	for _, c := range []struct{ name, old, with, want string }{
		{"nobody said who confirmed it", "confirmed_by: nobody\n", "",
			`confirmed_by: says who confirmed the rule, in 1 to 80 letters (nobody, until your own authority confirms the rule)`},
		{"more clauses than a record holds", "- " + clause, strings.Repeat("- "+clause+"\n    ", 30) + "- " + clause,
			`pass: 33 clauses and groups with the preconditions, and 32 are the most`},
		{"a long name", "name: hits,", "name: " + strings.Repeat("a", 81) + ",", `pass.all[0].name: a name of 1 to 80 letters is expected`},
		{"more notes than anybody reads", "notes:\n", "notes:\n" + strings.Repeat("  - a\n", 16), `notes: 17 entries, and 16 are the most`},
		{"an empty entry", "notes:\n", "not_checked: ['']\nnotes:\n", `not_checked[0]: 1 to 400 letters are expected`},
		{"values upon values", "pass:\n", "values:\n  a: {sum: [hits, hits]}\n  b: {sum: [a, a]}\n  c: {sum: [b, b]}\n  d: {sum: [c, c]}\n  e: {sum: [d, d]}\npass:\n",
			`values.e: values are made of values more than 4 deep`},
		{"an exponent", "at_least: 19", "at_least: 1e999999999", `pass.all[0].at_least: a number such as 5 or 0.70 is expected, not "1e999999999"`},
		{"an enormous number", "at_least: 19", "at_least: 99999999999999999999", `a number such as 5 or 0.70 is expected`},
		{"a smallest test of less than nothing", "targets: 20,", "targets: -20,", `smallest_test: counts of 0 or more are expected`},
	} {
		_, err := score.ParseRule("r", []byte(ruleText(t, "bullocks", c.old, c.with)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got\n%v\nwant\n%s", c.name, err, c.want)
		}
	}
}

// TestValuesMadeOfManyValuesEndSoon: each value is evaluated once, not 64 to the third times.
func TestValuesMadeOfManyValuesEndSoon(t *testing.T) {
	many := func(name string) string { return strings.TrimSuffix(strings.Repeat(name+", ", 64), ", ") }
	text := ruleText(t, "swgdog-general", "values:\n", "values:\n  a: {sum: ["+many("proficiency")+"]}\n  b: {sum: ["+many("a")+"]}\n  c: {sum: ["+many("b")+"]}\n",
		"value: proficiency", "value: c")
	if v := score.Judge(text, runs(t, "TH", "TM")); !strings.Contains(listed(v), ": 131072.000000\n") {
		t.Errorf("got\n%s", listed(v))
	}
	rule, err := score.ParseRule("r", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	all := runs(t, "TH", "TM")
	if n := testing.AllocsPerRun(1, func() { score.Verdict(rule, all) }); n > 20_000 {
		t.Errorf("a verdict took %v allocations: is each value evaluated once?", n)
	}
}

// TestOnlyTimeOutsAreLeftOut: the policy for time-outs does not forgive a target that was passed over.
func TestOnlyTimeOutsAreLeftOut(t *testing.T) {
	text := ruleText(t, "napch", "time_out: miss", "time_out: left-out")
	if v := score.Judge(text, runs(t, "TH", "To")); v.Verdict != score.Pass {
		t.Errorf("a time-out: %s\n%s", v.Verdict, listed(v))
	}
	if v := score.Judge(text, runs(t, "TH", "TM")); v.Verdict != score.Fail {
		t.Errorf("a miss: %s\n%s", v.Verdict, listed(v))
	}
}

func TestAllProblemsOfARuleAtOnce(t *testing.T) {
	_, err := score.ParseRule("r.yaml", []byte(ruleText(t, "bullocks", "rule: bullocks", "rule: B", "validity: unknown", "validity: long",
		"time_out: miss", "time_out: maybe", "value: hits", "value: x")))
	var all *strict.Problems
	if !errors.As(err, &all) || len(all.List) != 4 {
		t.Fatalf("got %v", err)
	}
	for i, field := range []string{"rule", "validity", "policy.time_out", "pass.all[0].value"} {
		p := all.List[i]
		if p.Field != field || p.Line == 0 || p.Column < 2 || (i > 0 && p.Line <= all.List[i-1].Line) {
			t.Errorf("problem %d: got %s at %d:%d, want %s", i, p.Field, p.Line, p.Column, field)
		}
	}
}

// TestBytesThatAreNoRule: the engine judges whatever bytes a session was opened with, and the verdict does not depend
// on the wording of a message.
func TestBytesThatAreNoRule(t *testing.T) {
	for _, src := range []string{" ", "rule: x", "\x00\xff", "[[[", "a: &b c", strings.Repeat("a: ", 1000), strings.Repeat("x", 2<<20)} {
		v := score.Judge(src, runs(t, "2*TH", "TM"))
		if v.Verdict != score.NotValid || listed(v) != "the rule can be read [a rule file]: something else x\n" || v.Hits != 2 || v.Misses != 1 {
			t.Errorf("%.20q: %+v", src, v)
		}
	}
}

// TestWhoConfirmedARule: the rules that come with Scentpost are suggestions; a user's own copy says whose it is.
func TestWhoConfirmedARule(t *testing.T) {
	for by, want := range map[string]string{"nobody": "", "Training Academy": "Training Academy"} {
		if v := score.Judge(ruleText(t, "napch", "confirmed_by: nobody", "confirmed_by: "+by), runs(t, "TH")); v.ConfirmedBy != want || v.Verdict != score.Pass {
			t.Errorf("%s: got %q, %s", by, v.ConfirmedBy, v.Verdict)
		}
	}
}

// TestEveryCountOfRuns: a run with two misses and a false alert is one wrong run, one missed run, one false alert run.
func TestEveryCountOfRuns(t *testing.T) {
	all := runs(t, "2*TMTMBF", "3*TH", "4*BC", "B?")
	for name, want := range map[string]string{"runs": "10", "target_runs": "5", "blank_runs": "5", "correct_runs": "7",
		"wrong_runs": "3", "decided_runs": "10", "missed_runs": "2", "false_alert_runs": "3"} {
		v := score.Judge(byRuns(t, "  all: [{name: n, value: "+name+", at_least: 0}]\n"), all)
		if len(v.Clauses) < 2 || v.Clauses[1].Got != want {
			t.Errorf("%s, inconclusive as wrong: want %s, got\n%s", name, want, listed(v))
		}
	}
}

// TestOneCallInDoubt runs from the facts to the verdict: a call at no position puts all that was sampled in doubt, and
// is one false alert, not three.
func TestOneCallInDoubt(t *testing.T) {
	nowhere := score.Run(score.RunFacts{Placement: line("BDB"), HasBeam: []int{1, 2, 3}, Entries: walk(1, 2, 3), FirstEnds: true,
		Calls: []score.CallFact{call(15, event.CallNowhere)}, Lock: event.Lock{Reason: lockCall, At: 15 * second}})
	all := slices.Concat(runs(t, "5*TH"), []event.RunResult{nowhere})
	v := score.Judge(ruleText(t, "irs-ort"), all)
	if v.Verdict != score.Pass || v.False != 0 || !strings.Contains(listed(v), "false alerts [at most 1]: 1\n") {
		t.Errorf("%s, %d false alerts\n%s", v.Verdict, v.False, listed(v))
	}
}

// TestOddFacts: whatever stands in the facts, each position gets one known outcome, and latencies fit a record.
func TestOddFacts(t *testing.T) {
	known := []event.Outcome{event.Hit, event.Miss, event.FalseAlert, event.CorrectRejection, event.NotSampled, event.Inconclusive, event.OutcomeVoid}
	rapid.Check(t, func(t *rapid.T) {
		position := rapid.OneOf(rapid.IntRange(-1, 4), rapid.Int())
		instant := rapid.OneOf(rapid.Int64Range(-1, 4), rapid.Int64())
		word := rapid.SampledFrom([]string{"", "call", "all clear", "time-out", "finished", "alert", "clear", "between", "nowhere", "target", "blank", "wrong", "left-out", "no such word"})
		in := score.RunFacts{HasBeam: rapid.SliceOf(position).Draw(t, "beams"), StartedAt: instant.Draw(t, "start"), FirstEnds: rapid.Bool().Draw(t, "first ends"),
			InconclusivePolicy: event.Policy(word.Draw(t, "policy")), Observed: rapid.MapOf(position, rapid.Bool()).Draw(t, "observed"),
			Lock: event.Lock{Reason: event.LockReason(word.Draw(t, "lock")), At: instant.Draw(t, "lock at"), Inconclusive: rapid.Bool().Draw(t, "doubt")}}
		for range rapid.IntRange(0, 5).Draw(t, "positions") {
			in.Placement = append(in.Placement, event.Slot{Position: position.Draw(t, "position"), Kind: event.Kind(word.Draw(t, "kind"))})
			in.Entries = append(in.Entries, score.Entry{Position: position.Draw(t, "entry"), At: instant.Draw(t, "entry at")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "calls") {
			in.Calls = append(in.Calls, score.CallFact{At: instant.Draw(t, "call at"), Inconclusive: rapid.Bool().Draw(t, "unsure"),
				Call: event.Call{Kind: event.CallKind(word.Draw(t, "call")), Position: position.Draw(t, "at"), Other: position.Draw(t, "other")}})
		}
		got := score.Run(in)
		if len(got.Presentations) != len(in.Placement) || !slices.Contains([]string{score.Correct, score.Wrong, score.Inconclusive, score.Void}, got.Result) {
			t.Fatalf("%+v", got)
		}
		for _, p := range got.Presentations {
			if !slices.Contains(known, p.Outcome) || p.Sampled == "" {
				t.Fatalf("%+v", p)
			}
		}
		for _, ms := range []int{got.LatencyMS, got.SinceStartMS} {
			if ms < score.None || ms > math.MaxInt32 {
				t.Fatalf("a latency of %d ms", ms)
			}
		}
	})
}

func TestLatenciesFitARecord(t *testing.T) {
	got := score.Run(score.RunFacts{Placement: line("T"), HasBeam: []int{1}, Entries: []score.Entry{{Position: 1, At: math.MinInt64}}, StartedAt: 1,
		Calls: []score.CallFact{{Call: event.Call{Kind: event.CallAt, Position: 1}, At: math.MaxInt64}}, Lock: event.Lock{Reason: lockCall, At: math.MaxInt64}})
	if got.LatencyMS != math.MaxInt32 || got.SinceStartMS != math.MaxInt32 {
		t.Errorf("got %d and %d ms", got.LatencyMS, got.SinceStartMS)
	}
}
