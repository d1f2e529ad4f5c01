package score_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"scentpost/configs"
	"scentpost/station/event"
	"scentpost/station/score"
)

// ruleText returns a rule that comes with Scentpost, with old put right by new, pair by pair.
func ruleText(t testing.TB, name string, pairs ...string) string {
	t.Helper()
	_, src, err := configs.Files{}.Read(configs.Rules, name)
	if err != nil {
		t.Fatal(err)
	}
	text := string(src)
	for i := 0; i+1 < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	return text
}

// seen makes a run from pairs of a letter for what stood there (T, t, D, B) and one for the outcome: H, M, o (missed
// at the time-out), F, C, -, ?.
func seen(pairs string) event.RunResult {
	outcomes := map[byte]event.Outcome{'H': event.Hit, 'M': event.Miss, 'o': event.Miss, 'F': event.FalseAlert,
		'C': event.CorrectRejection, '-': event.NotSampled, '?': event.Inconclusive}
	r := event.RunResult{Result: score.Correct, EffectiveBlind: "double"}
	for i := 0; i+1 < len(pairs); i += 2 {
		slot := line(pairs[i : i+1])[0]
		p := event.Presentation{Position: 1 + i/2, Kind: slot.Kind, Odour: slot.Odour, Outcome: outcomes[pairs[i+1]]}
		switch pairs[i+1] {
		case 'o':
			p.Flag, r.Result = score.FlagTimeOut, score.Wrong
		case 'M', 'F':
			r.Result = score.Wrong
		case '?':
			r.Result = score.Inconclusive
		}
		r.Presentations = append(r.Presentations, p)
	}
	return r
}

// runs repeats runs: "3*THBC" is three runs of a hit and a correct rejection.
func runs(t testing.TB, specs ...string) []event.RunResult {
	t.Helper()
	var out []event.RunResult
	for _, spec := range specs {
		times, pairs := 1, spec
		if before, after, ok := strings.Cut(spec, "*"); ok {
			if _, err := fmt.Sscan(before, &times); err != nil {
				t.Fatal(err)
			}
			pairs = after
		}
		for range times {
			out = append(out, seen(pairs))
		}
	}
	return out
}

// listed prints clauses as "name: got" with a cross where one is unmet.
func listed(v event.Verdict) string {
	var b strings.Builder
	for _, c := range v.Clauses {
		mark := ""
		if !c.Met {
			mark = " x"
		}
		fmt.Fprintf(&b, "%s [%s]: %s%s\n", c.Name, c.Need, c.Got, mark)
	}
	return b.String()
}

func TestVerdictsOfTheRulesThatComeWithScentpost(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		runs       []string
		want       string
		clauses    string // among those listed
	}{
		{"all right", "uk-short-odour", []string{"5*THBCBC", "5*tHDCBC"}, score.Pass,
			"presentations of each target odour: smokeless-powder [at least 5]: 5\npresentations of each target odour: tnt [at least 5]: 5\n" +
				"presentations of non-targets [at least 20]: 20\nhit rate minus false alert rate [at least 0.70]: 1.000000\nfalse alert rate [at most 0.15]: 0.000000\n"},
		{"on both edges", "uk-short-odour", []string{"17*THDC", "3*TMDF", "17*tHDC", "3*tHDC"}, score.Pass,
			"hit rate minus false alert rate [at least 0.70]: 0.850000\nfalse alert rate [at most 0.15]: 0.075000\n"},
		{"exactly 0.70 and 0.15", "uk-short-odour", []string{"17*THBC", "3*TMBF"}, score.Pass,
			"hit rate minus false alert rate [at least 0.70]: 0.700000\nfalse alert rate [at most 0.15]: 0.150000\n"},
		{"just below 0.70", "uk-short-odour", []string{"699*TH", "301*TM", "20*BC"}, score.Fail,
			"hit rate minus false alert rate [at least 0.70]: 0.699000 x\n"},
		{"one false alert too many", "uk-short-odour", []string{"20*THBC", "4*BF"}, score.Fail, "false alert rate [at most 0.15]: 0.166667 x\n"},
		{"an odour shown four times", "uk-short-odour", []string{"5*THBCBC", "4*tHBCBCBC"}, score.NotValid, "smokeless-powder [at least 5]: 4 x\n"},
		{"unsampled ones count for the least, not for the rates", "uk-short-odour", []string{"4*THB-B-B-", "T-B-BCBC", "BCBCBCBCBFB-"}, score.Pass,
			"presentations of each target odour: tnt [at least 5]: 5\npresentations of non-targets [at least 20]: 21\nhit rate minus false alert rate [at least 0.70]: 0.857143\n"},
		{"nothing decided", "uk-short-odour", []string{"5*T-B-B-B-B-"}, score.NotValid, "hit rate minus false alert rate [at least 0.70]: undefined x\n"},
		{"failed for certain although a rate is undefined", "uk-short-odour", []string{"5*T-BFB-B-B-"}, score.Fail, "false alert rate [at most 0.15]: 1.000000 x\n"},
		{"no target at all", "uk-short-odour", []string{"10*BCBC"}, score.NotValid, "presentations of each target odour [at least 5]: undefined x\n"},
		{"no run at all", "uk-short-odour", nil, score.NotValid, "completed runs [at least 1]: 0 x\n"},
		{"90 %", "swgdog-general", []string{"9*THBC", "TM"}, score.Pass, "proficiency [at least 0.90]: 0.900000\n"},
		{"below 90 %", "swgdog-general", []string{"8*THBC", "TM"}, score.Fail, "proficiency [at least 0.90]: 0.888889 x\n"},
		{"a target that was not sampled is not found", "swgdog-general", []string{"8*THBC", "T-"}, score.Fail, "proficiency [at least 0.90]: 0.888889 x\n"},
		{"nor is an inconclusive one", "swgdog-general", []string{"8*THBC", "T?"}, score.Fail, "proficiency [at least 0.90]: 0.888889 x\n"},
		{"four of five", "irs-ort", []string{"4*THBC", "ToBF"}, score.Pass, "hits [at least 4]: 4\nfalse alerts [at most 1]: 1\n"},
		{"three of five", "irs-ort", []string{"3*THBC", "2*TM"}, score.Fail, "hits [at least 4]: 3 x\n"},
		{"two false alerts", "irs-ort", []string{"5*TH", "2*BF"}, score.Fail, "false alerts [at most 1]: 2 x\n"},
		{"an inconclusive call beside a false alert adds none", "irs-ort", []string{"5*TH", "BFB?"}, score.Pass, "false alerts [at most 1]: 1\n"},
		{"four of six", "irs-ort", []string{"4*TH", "2*TM"}, score.NotValid, "presentations of targets [exactly 5]: 6 x\n"},
		{"19 of 20", "bullocks", []string{"19*THBC", "TM"}, score.Pass, "hits [at least 19]: 19\nfalse alerts [exactly 0]: 0\n"},
		{"18 of 20", "bullocks", []string{"18*THBC", "2*TM"}, score.Fail, "hits [at least 19]: 18 x\n"},
		{"20 of 20 with a false alert", "bullocks", []string{"20*THBC", "BF"}, score.Fail, "false alerts [exactly 0]: 1 x\n"},
		{"an inconclusive call is one false alert, at however many positions", "bullocks", []string{"20*TH", "B?B?D?"}, score.Fail, "false alerts [exactly 0]: 1 x\n"},
		{"none missed, none false", "napch", []string{"THBC", "BC"}, score.Pass, "misses [exactly 0]: 0\nfalse alerts [exactly 0]: 0\nset time of at least 30 min [checked]: not checked x\n"},
		{"one missed", "napch", []string{"20*THBC", "TM"}, score.Fail, "misses [exactly 0]: 1 x\n"},
		{"no target", "napch", []string{"BCBC"}, score.NotValid, "presentations of targets [at least 1]: 0 x\n"},
	} {
		t.Run(c.rule+", "+c.name, func(t *testing.T) {
			v := score.Judge(ruleText(t, c.rule), runs(t, c.runs...))
			if v.Verdict != c.want || v.Rule != c.rule {
				t.Errorf("%s by %q, want %s\n%s", v.Verdict, v.Rule, c.want, listed(v))
			}
			if !strings.Contains(listed(v), c.clauses) {
				t.Errorf("the clauses are\n%swant among them\n%s", listed(v), c.clauses)
			}
		})
	}
}

func TestVerdictCountsOutcomesAsTheyAre(t *testing.T) {
	v := score.Judge(ruleText(t, "bullocks"), runs(t, "THTMT-T?BFBCB-B?", "ToDC"))
	if v.Hits != 1 || v.Misses != 2 || v.False != 1 || v.Correct != 2 {
		t.Errorf("%+v: what the rule makes of the others must not show here", v)
	}
	if v := score.Judge("", runs(t, "THBC")); v.Verdict != score.NoRule || v.Hits != 1 || v.Clauses == nil || v.Rule != "" {
		t.Errorf("without a rule: %+v", v)
	}
	if v := score.Judge("rule: [", runs(t, "THBC")); v.Verdict != score.NotValid || v.Hits != 1 || len(v.Clauses) != 1 {
		t.Errorf("with what is no rule: %+v", v)
	}
}

func TestPolicies(t *testing.T) {
	for _, c := range []struct {
		name  string
		pairs []string
		runs  []string
		want  string
	}{
		{"a time-out left out", []string{"time_out: miss", "time_out: left-out"}, []string{"20*THBC", "20*To"}, score.Pass},
		{"a time-out counted", nil, []string{"20*THBC", "20*To"}, score.Fail},
		{"not sampled as missed", []string{"not_sampled: left-out", "not_sampled: miss"}, []string{"20*THBC", "20*T-"}, score.Fail},
		{"not sampled left out", nil, []string{"20*THBC", "20*T-"}, score.Pass},
		{"inconclusive as wrong", []string{"inconclusive: left-out", "inconclusive: wrong"}, []string{"20*THBC", "20*T?"}, score.Fail},
		{"inconclusive non-targets as one false alert a run", []string{"inconclusive: left-out", "inconclusive: wrong"}, []string{"20*THBC", "3*B?B?"}, score.Pass},
		{"inconclusive left out", nil, []string{"20*THBC", "20*T?B?"}, score.Pass},
		{"only double-blind runs", []string{"policy:", "filters: {blindness: [double]}\npolicy:"}, []string{"20*THBC"}, score.Pass},
		{"only open runs", []string{"policy:", "filters: {blindness: [open]}\npolicy:"}, []string{"20*THBC"}, score.NotValid},
		{"only one odour", []string{"policy:", "filters: {odours: [tnt]}\npolicy:"}, []string{"20*THBC", "20*tMBC"}, score.Pass},
		{"an odour that never stood there", []string{"policy:", "filters: {odours: [tnt, c4]}\npolicy:"}, []string{"20*THBC"}, score.NotValid},
	} {
		if v := score.Judge(ruleText(t, "uk-short-odour", c.pairs...), runs(t, c.runs...)); v.Verdict != c.want {
			t.Errorf("%s: %s, want %s\n%s", c.name, v.Verdict, c.want, listed(v))
		}
	}
}

// byRuns rewrites bullocks to count runs.
func byRuns(t testing.TB, pass string) string {
	return ruleText(t, "bullocks", "unit: presentation", "unit: run", "value: targets, exactly: 20", "value: runs, at_least: 2",
		"pass:\n  all:\n    - {name: hits, value: hits, at_least: 19}\n    - {name: false alerts, value: false_alerts, exactly: 0}\n",
		"values:\n  share: {ratio: [correct_runs, decided_runs]}\npass:\n"+pass)
}

func TestRulesOfRunsAndGroups(t *testing.T) {
	const some = `  any:
    - {name: most runs, value: share, at_least: 0.75}
    - name: or else
      all:
        - {name: runs with a miss, value: missed_runs, at_most: 1}
        - {name: runs with a false alert, value: false_alert_runs, exactly: 0}
        - {name: blank runs, value: blank_runs, at_least: 1}
`
	void := seen("TH")
	void.Result = score.Void
	for _, c := range []struct {
		name string
		runs []event.RunResult
		want string
		list string
	}{
		{"the first", runs(t, "3*THBC", "TMBF"), score.Pass, "most runs [at least 0.75]: 0.750000\nor else [all of the next 3]: 1 x\n"},
		{"the second", runs(t, "TM", "BC"), score.Pass, "most runs [at least 0.75]: 0.500000 x\nor else [all of the next 3]: 3\nruns with a miss [at most 1]: 1\n"},
		{"none", runs(t, "TM", "THBF"), score.Fail, "or else [all of the next 3]: 1 x\n"},
		{"void runs count nowhere", append(runs(t, "TH"), void), score.NotValid, "presentations of targets [at least 2]: 1 x\n"},
	} {
		v := score.Judge(byRuns(t, some), c.runs)
		if v.Verdict != c.want || !strings.Contains(listed(v), c.list) {
			t.Errorf("%s: %s, want %s with\n%sgot\n%s", c.name, v.Verdict, c.want, c.list, listed(v))
		}
	}
}

func TestRulesAreRefusedWithTheirPlaces(t *testing.T) {
	uk := func(pairs ...string) string { return ruleText(t, "uk-short-odour", pairs...) }
	deep := "values:\n"
	for i := range 12 {
		deep += fmt.Sprintf("  v%d: {sum: [v%d, hits]}\n", i, i+1)
	}
	deep += "  v12: {sum: [hits, hits]}\n"
	for _, c := range []struct{ name, src, want string }{
		{"nothing", "", "the file is empty"},
		{"junk", "\x00\x01", "control character"},
		{"a list", "- a\n", "is expected, not a list"},
		{"an unknown key", uk("unit_by:", "unit_bye:"), "unit_bye: unknown key (did you mean"},
		{"twice", uk("unit: presentation", "unit: presentation\nunit: run"), "given twice"},
		{"a name with a capital", uk("rule: uk", "rule: UK"), "rule: a name of small letters"},
		{"no edition", uk("edition: unknown\n", ""), "edition"},
		{"an unknown unit", uk("unit: presentation", "unit: hide"), "unit: one of presentation, run is expected"},
		{"a policy that there is not", uk("void: left-out", "void: wrong"), "policy.void: one of left-out is expected"},
		{"a policy left open", uk("  time_out: miss\n", ""), "policy.time_out"},
		{"validity", uk("validity: unknown", "validity: soon"), "validity: says how long"},
		{"no smallest test", uk("targets: 5, non_targets: 20,", ""), "smallest_test"},
		{"a number that there is not", uk("value: margin", "value: margn"), `there is no number "margn" (did you mean`},
		{"what the station counts", uk("  margin:", "  hits:"), "values.hits: is what the station itself counts"},
		{"made of itself", uk("{ratio: [hits, decided_targets]}", "{ratio: [margin, decided_targets]}"), "is made of itself"},
		{"too deep", uk("values:\n", deep), "deep"},
		{"two ways at once", uk("{ratio: [hits, decided_targets]}", "{ratio: [hits, misses], sum: [hits, misses]}"), "exactly one of ratio, difference, sum"},
		{"three parts", uk("{ratio: [hits, decided_targets]}", "{ratio: [hits, misses, targets]}"), "a ratio has two parts, not 3"},
		{"the other unit", uk("[hits, decided_targets]", "[hits, runs]"), "runs counts by the run"},
		{"no comparison", uk(", at_least: 0.70", ""), "exactly one of at_least, at_most, exactly"},
		{"two comparisons", uk("at_least: 0.70", "at_least: 0.70, at_most: 1"), "exactly one of at_least, at_most, exactly"},
		{"a negative number", uk("0.70", "-0.70"), "a number such as 5 or 0.70"},
		{"a long number", uk("0.70", "0.7000000000001"), "a number such as 5 or 0.70"},
		{"no number", uk("0.70", "most"), "a number such as 5 or 0.70"},
		{"for each position", uk("for_each: odour", "for_each: position"), "one of odour is expected"},
		{"non-targets by odour", uk("value: non_targets,", "value: non_targets, for_each: odour,"), "non_targets cannot be told apart by target odour"},
		{"a rate of non-targets by odour", uk("value: margin,", "value: margin, for_each: odour,"), "cannot be told apart by target odour"},
		{"no name", uk("name: false alert rate, ", ""), "name"},
		{"a clause and a group", byRuns(t, "  any:\n    - {name: a, value: share, any: [{name: b, value: share, at_least: 1}]}\n"), "a clause or a group, not both"},
		{"no group", byRuns(t, "  name: x\n"), "either all or any"},
		{"both groups", byRuns(t, "  all: [{name: b, value: share, at_least: 1}]\n  any: [{name: b, value: share, at_least: 1}]\n"), "either all or any"},
		{"groups within groups", byRuns(t, "  any: "+strings.Repeat("[{name: g, all: ", 6)+"[{name: b, value: share, at_least: 1}]"+strings.Repeat("}]", 6)+"\n"), "groups are nested deeper"},
	} {
		_, err := score.ParseRule("my.yaml", []byte(c.src))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "my.yaml:") {
			t.Errorf("%s: got %v, want %q in it", c.name, err, c.want)
		}
	}
}

// TestVerdictProperties: the verdict of uk-short-odour is its definition in whole numbers, whatever the runs and
// their order, and a further hit never hurts.
func TestVerdictProperties(t *testing.T) {
	rule, err := score.ParseRule("uk-short-odour.yaml", []byte(ruleText(t, "uk-short-odour")))
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var all []event.RunResult
		for range rapid.IntRange(0, 30).Draw(t, "runs") {
			all = append(all, seen(rapid.StringMatching(`(T[HHHM])?(B[CCCF]|D[CCF-]){0,5}`).Draw(t, "run")))
		}
		v := score.Verdict(rule, all)
		targets, others := v.Hits+v.Misses, 0
		for _, r := range all {
			for _, p := range r.Presentations {
				if p.Kind != event.Target {
					others++
				}
			}
		}
		want := score.NotValid
		if targets >= 5 && others >= 20 && v.False+v.Correct > 0 {
			hit, alert := big.NewRat(int64(v.Hits), int64(targets)), big.NewRat(int64(v.False), int64(v.False+v.Correct))
			want = score.Fail
			if new(big.Rat).Sub(hit, alert).Cmp(big.NewRat(7, 10)) >= 0 && alert.Cmp(big.NewRat(15, 100)) <= 0 {
				want = score.Pass
			}
		}
		if v.Verdict != want {
			t.Fatalf("%s, want %s\n%s", v.Verdict, want, listed(v))
		}
		better := score.Verdict(rule, append(slices.Clone(all), seen("TH")))
		if v.Verdict == score.Pass && better.Verdict != score.Pass {
			t.Fatalf("one more hit made a pass %s", better.Verdict)
		}
		slices.Reverse(all)
		if again := score.Verdict(rule, all); fmt.Sprint(again) != fmt.Sprint(v) {
			t.Fatalf("the runs the other way round: %v, before %v", again, v)
		}
	})
}

func FuzzRule(f *testing.F) {
	names, err := configs.Files{}.Names(configs.Rules)
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		f.Add(ruleText(f, name))
	}
	all := runs(f, "5*THBCBC", "T-D?", "t?BF", "TMB-")
	f.Fuzz(func(t *testing.T, src string) {
		rule, err := score.ParseRule("f", []byte(src))
		if err != nil {
			return
		}
		v := score.Verdict(rule, all)
		if !slices.Contains([]string{score.Pass, score.Fail, score.NotValid}, v.Verdict) || v.Rule == "" {
			t.Errorf("%+v", v)
		}
		for _, c := range v.Clauses {
			if c.Name == "" || c.Need == "" || c.Got == "" {
				t.Errorf("%+v", c)
			}
		}
	})
}

func BenchmarkVerdict(b *testing.B) {
	rule, err := score.ParseRule("uk-short-odour.yaml", []byte(ruleText(b, "uk-short-odour")))
	if err != nil {
		b.Fatal(err)
	}
	all := runs(b, "5*THBCBCBCBCBC", "5*tHDCBCBCBC", "2*BCBCBCBCBCBC")
	b.ReportAllocs()
	for b.Loop() {
		score.Verdict(rule, all)
	}
}
