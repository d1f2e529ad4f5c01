package blind

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"scentpost/station/event"
	"scentpost/station/strict"
)

func TestTheExamplesParse(t *testing.T) {
	files, err := filepath.Glob("../../configs/plans/*.yaml")
	if err != nil || len(files) < 3 {
		t.Fatalf("want at least three example plans, have %v (%v)", files, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParsePlan(file, src); err != nil {
			t.Error(err)
		}
	}
	frozen, err := os.ReadFile("testdata/lineup-six.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, q := example(t, "lineup-six"), parsed(t, string(frozen))
	p.Text, q.Text = nil, nil
	if p.Targets.PerSession == nil || *p.Targets.PerSession != *q.Targets.PerSession || p.Positions != q.Positions || p.Runs != q.Runs {
		t.Error("lineup-six is no longer the plan of the vectors")
	}
}

func TestParsePlanReadsEveryKey(t *testing.T) {
	p := parsed(t, `plan: All of it
form: lineup
presentation: actuated
mode: single
positions: 2
runs: 5
reserve: 1
loading: {each_position: [tnt, glove, blank], positions: {2: [blank, tnt, glove]}}
restricted: true
targets: {odours: [tnt], per_run: 1, per_session: 5}
distractors: {odours: [glove], per_run: 0..1}
balance: {positions: true, odours: true, same_position_in_a_row: 4}
calls: several
limits: {run: 1m30s, dwell: 1500ms}
purge: 20s
feedback: per-run
reward: none
inconclusive: left-out
rule: uk-short-odour
witness: paper
`)
	switch {
	case p.Name != "All of it", p.Form != FormLineup, p.Mode != event.ModeSingle, p.Positions != 2, p.Runs != 5, p.Reserve != 1,
		!p.Restricted, p.Targets.PerRun != (Range{1, 1}), *p.Targets.PerSession != (Range{5, 5}), p.Distractors.PerRun != (Range{0, 1}),
		p.Balance != (Balance{true, true, 4}), p.FirstEnds(), p.Limits != (Limits{90 * time.Second, 1500 * time.Millisecond}),
		p.Purge != 20*time.Second, p.Feedback != FeedbackPerRun, p.Inconclusive != event.PolicyLeftOut,
		p.Rule != "uk-short-odour", p.Witness != WitnessPaper:
		t.Errorf("%+v", p)
	}
	if l := p.Loading(); len(l) != 6 || l[1].Canister != "1B" || l[3].Canister != "2A" || l[3].Odour != "blank" {
		t.Errorf("loading: %v", p.Loading())
	}
}

func TestDefaults(t *testing.T) {
	p := parsed(t, "plan: P\nform: lineup\nmode: double\npositions: 1\nruns: 1\nloading: {each_position: [tnt, blank]}\n"+
		"targets: {odours: [tnt], per_run: 0..1}\nlimits: {run: 9s, dwell: 3s}\n")
	if p.Presentation != PresentationActuated || !p.FirstEnds() || p.Feedback != FeedbackNone || p.Reward != RewardNone ||
		p.Inconclusive != event.PolicyWrong || p.Witness != WitnessNone || p.Reserve != 0 || p.Rule != "" || p.Balance != (Balance{}) {
		t.Errorf("%+v", p)
	}
	if p.SessionTargets() != (Range{0, 1}) {
		t.Errorf("targets of the session: %v", p.SessionTargets())
	}
}

// badPlans each change one thing of a good plan.
var badPlans = []struct{ name, old, new, want string }{
	{"unknown key", "runs: 3", "runs: 3\nrnus: 3", "plan.yaml:7:1: rnus: unknown key (did you mean \"runs\"?)"},
	{"unknown key inside", "per_run: 0..1, per_session", "perrun: 0..1, per_session", "plan.yaml:9:31: targets.perrun: unknown key (did you mean \"per_run\"?)"},
	{"not yet a key", "runs: 3", "runs: 3\nphases: [warm-up]", "plan.yaml:7:1: phases: not supported yet"},
	{"given twice", "runs: 3", "runs: 3\nruns: 4", "plan.yaml:7:1: runs: given twice"},
	{"not yet a form", "form: lineup", "form: carousel", `plan.yaml:2:7: form: "carousel" is not supported yet (this version does: lineup, gonogo)`},
	{"not yet manual", "actuated", "manual", `presentation: "manual" is not supported yet`},
	{"no such form", "form: lineup", "form: linup", `form: lineup | gonogo is expected, not "linup" (did you mean "lineup"?)`},
	{"no such mode", "mode: double", "mode: tripple", `plan.yaml:4:7: mode: open | single | double is expected, not "tripple"`},
	{"no mode", "mode: double\n", "", "mode: is missing (add mode: open | single | double)"},
	{"empty mode", "mode: double", "mode:", "plan.yaml:4:1: mode: has no value"},
	{"reward", "calls:", "reward: after-correct-call\ncalls:", `"after-correct-call" is not supported yet`},
	{"no name", "plan: Base\n", "", "plan: is missing"},
	{"name of signs", "plan: Base", `plan: "a\u0007b"`, "U+0007 is a sign that no reader sees"},
	{"name of two lines", "plan: Base", `plan: "a\nb"`, "holds a sign that no reader sees"},
	{"name that turns round", "plan: Base", `plan: "a\u202eb"`, "plan.yaml:1:7: U+202E is a sign that no reader sees"},
	{"negative", "runs: 3", "runs: -3", "plan.yaml:6:7: runs: -3 is out of range: from 1 to 200"},
	{"fraction", "runs: 3", "runs: 2.5", "plan.yaml:6:7: runs: "},
	{"enormous", "runs: 3", "runs: 99999999999999999999999", "plan.yaml:6:7: runs: "},
	{"too many", "positions: 3", "positions: 33", "positions: 33 is out of range: from 1 to 32"},
	{"text for a number", "positions: 3", "positions: three", "plan.yaml:5:12: positions: a whole number is expected"},
	{"reserve", "reserve: 1", "reserve: 51", "reserve: 51 is out of range: from 0 to 50"},
	{"row", "in_a_row: 2", "in_a_row: -1", "balance.same_position_in_a_row: -1 is out of range"},
	{"range backwards", "per_session: 1..2", "per_session: 2..1", "targets.per_session: the range 2..1 runs backwards (write 1..2)"},
	{"no range", "per_session: 1..2", "per_session: 1-2", "a count such as 1, or a range such as 0..1, is expected, not \"1-2\""},
	{"enormous range", "per_session: 1..2", "per_session: 0..99999999999", "is expected, not \"0..99999999999\""},
	{"negative range", "per_run: 0..1, per", "per_run: -1..1, per", "targets.per_run: a count such as 1"},
	{"no targets", "targets: {odours: [tnt, rdx], per_run: 0..1, per_session: 1..2}\n", "", "targets.per_run: is missing"},
	{"no target odours", "odours: [tnt, rdx], per_run", "per_run", "targets.odours: is missing"},
	{"empty odours", "odours: [tnt, rdx], per_run: 0..1, per_session: 1..2", "odours: [], per_run: 0..1", "targets.odours: the list is empty"},
	{"no distractor odours", "odours: [glove], ", "", "distractors.odours: is missing"},
	{"blank as a target", "odours: [tnt, rdx]", "odours: [tnt, blank]", `targets.odours[1]: "blank" is the carrier without odour`},
	{"an odour twice", "odours: [tnt, rdx]", "odours: [tnt, tnt]", `targets.odours[1]: "tnt" is in the list twice`},
	{"a comma in an odour", "[glove]", `["glo,ve"]`, `distractors.odours[0]: "glo,ve" holds a comma`},
	{"an odour of both kinds", "odours: [glove]", "odours: [rdx]", `distractors.odours[0]: "rdx" is a target as well`},
	{"a long odour", "[glove]", "[" + strings.Repeat("g", 41) + "]", "40 characters are the most"},
	{"an unknown odour", "[tnt, rdx, glove, blank]", "[tnt, rdx, gloves, blank]", `plan.yaml:8:37: loading.each_position[2]: "gloves" is neither a target nor a distractor of this plan, nor "blank" (did you mean "glove"?)`},
	{"no loading", "loading: {each_position: [tnt, rdx, glove, blank]}\n", "", "loading: says of no canister what lies in it"},
	{"no such position", "rdx, glove, blank]}", "rdx, glove, blank], positions: {4: [tnt]}}", "a position from 1 to 3 is expected, not \"4\""},
	{"an odd position", "rdx, glove, blank]}", "rdx, glove, blank], positions: {01: [tnt]}}", "a position from 1 to 3 is expected, not \"01\""},
	{"too many canisters", "[tnt, rdx, glove, blank]", "[" + strings.Repeat("tnt, ", 26) + "blank]", "27 canisters at a position, and 26 are the most"},
	{"too many targets in a run", "per_run: 0..1, per_session: 1..2", "per_run: 0..4", "4 targets in a run do not fit 3 positions"},
	{"too many distractors", "[glove], per_run: 0..1", "[glove], per_run: 4", "4 distractors in a run do not fit 3 positions"},
	{"too many together", "[glove], per_run: 0..1", "[glove], per_run: 3", "1 targets and 3 distractors in a run do not fit 3 positions"},
	{"session too large", "per_session: 1..2", "per_session: 1..4", "targets.per_session: 1..4 targets cannot be had from 3 runs of 0..1 (write a range within 0..3)"},
	{"session too small", "per_run: 0..1, per_session: 1..2", "per_run: 1, per_session: 2", "2 targets cannot be had from 3 runs of 1"},
	{"gonogo with a line", "form: lineup", "form: gonogo", "positions: gonogo presents at one position"},
	{"no limits", "limits: {run: 90s, dwell: 3s}\n", "", "limits.run: is missing"},
	{"no unit", "run: 90s", "run: 90", "limits.run: a duration such as 90s"},
	{"negative time", "dwell: 3s", "dwell: -3s", "limits.dwell: -3s is out of range"},
	{"no time", "dwell: 3s", "dwell: 0s", "limits.dwell: 0s is out of range"},
	{"a day", "run: 90s", "run: 24h", "limits.run: 24h0m0s is out of range: from 1s to 1h0m0s"},
	{"too fine", "run: 90s", "run: 1.0000001s", "finer than a millisecond"},
	{"dwell longer than the run", "dwell: 3s", "dwell: 2m", "leaves no time in a run of 1m30s"},
	{"an empty rule", "calls:", "rule: ''\ncalls:", "rule: a name is expected"},
	{"anchor", "plan: Base", "plan: &a Base", "an anchor (&) is not allowed here"},
	{"wrong kind", "targets: {odours: [tnt, rdx], per_run: 0..1, per_session: 1..2}", "targets: [1, 2]", "targets: a mapping is expected"},
}

// TestBadPlans wants to be told where the fault is and what to do.
func TestBadPlans(t *testing.T) {
	for _, c := range badPlans {
		t.Run(c.name, func(t *testing.T) {
			src := strings.Replace(base, c.old, c.new, 1)
			if src == base {
				t.Fatalf("%q is not in the plan", c.old)
			}
			_, err := ParsePlan("plan.yaml", []byte(src))
			var problems *strict.Problems
			if !errors.As(err, &problems) || errors.Is(err, ErrUndealable) {
				t.Fatalf("got %v, want problems of the text", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
			if len(problems.List) > 3 {
				t.Errorf("%d problems for one fault:\n%s", len(problems.List), err)
			}
		})
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := ParsePlan("plan.yaml", []byte("plan: P\nform: lineups\nmode: dubble\npositions: 40\nruns: 0\nsurprise: 1\n"+
		"targets: {odours: [blank], per_run: x}\nlimits: {run: 3s, dwell: 4s}\n"))
	for _, want := range []string{":2:7: form:", ":3:7: mode:", ":4:12: positions:", ":5:7: runs:", ":6:1: surprise:", ":7:20: targets.odours[0]:",
		":7:37: targets.per_run:", ":8:26: limits.dwell:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want a problem at %s in\n%v", want, err)
		}
	}
}

func TestTooManyReservePlacements(t *testing.T) {
	_, err := ParsePlan("plan.yaml", []byte(tiny("positions: 12", "runs: 2", "loading: {each_position: [tnt, glove, blank]}",
		"targets: {odours: [tnt], per_run: 0..6}", "distractors: {odours: [glove], per_run: 0..6}", "rule: x")+"calls: several\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParsePlan("plan.yaml", []byte(strings.Replace(tiny("positions: 12", "runs: 2", "loading: {each_position: [tnt, glove, blank]}",
		"targets: {odours: [tnt], per_run: 0..6}", "distractors: {odours: [glove], per_run: 0..6}"), "reserve: 1", "reserve: 21", 1)))
	if err == nil || !strings.Contains(err.Error(), "21 reserve runs of 49 compositions are more than 1000 placements to commit to") {
		t.Errorf("got %v", err)
	}
	_, err = ParsePlan("plan.yaml", []byte(tiny("positions: 12", "runs: 200", "loading: {each_position: [tnt, blank]}", "targets: {odours: [tnt], per_run: 0..6}")))
	if err == nil || !strings.Contains(err.Error(), "1200 targets in one session, and 1000 are the most") {
		t.Errorf("got %v", err)
	}
}

func TestJunk(t *testing.T) {
	for name, src := range map[string][]byte{
		"nothing": nil,
		"binary":  {0x7f, 'E', 'L', 'F', 0, 1, 2},
		"huge":    bytes.Repeat([]byte("a"), strict.MaxBytes+1),
		"deep":    bytes.Repeat([]byte("["), 5000),
		"a list":  []byte("[1, 2]"),
		"text":    []byte("hello"),
	} {
		var problems *strict.Problems
		if _, err := ParsePlan("plan.yaml", src); !errors.As(err, &problems) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTheHashIsOfTheExactBytes(t *testing.T) {
	src := []byte(base)
	p := parsed(t, base)
	q := parsed(t, base+"\n")
	if p.Hash() == q.Hash() {
		t.Error("a changed byte leaves the hash")
	}
	r, _ := ParsePlan("other name", src)
	src[6] = 'X'
	if r.Hash() != p.Hash() {
		t.Error("the caller's bytes are not copied, or the name is hashed")
	}
}

func TestCompositions(t *testing.T) {
	p := Plan{Positions: 3, Reserve: 1, Targets: Targets{Odours: []string{"tnt", "rdx"}, PerRun: Range{0, 2}},
		Distractors: Distractors{PerRun: Range{1, 2}}}
	want := []Composition{{0, 1, ""}, {0, 2, ""}, {1, 1, "tnt"}, {1, 2, "tnt"}, {1, 1, "rdx"}, {1, 2, "rdx"},
		{2, 1, "tnt,tnt"}, {2, 1, "tnt,rdx"}, {2, 1, "rdx,rdx"}}
	got := p.Compositions()
	if n := p.countCompositions(); n != len(want) {
		t.Errorf("counted %d, want %d", n, len(want))
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add([]byte(base))
	for _, c := range enumerable {
		f.Add([]byte(c.plan))
	}
	for _, name := range []string{"lineup-six", "go-nogo", "short"} {
		src, err := os.ReadFile("../../configs/plans/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := ParsePlan("plan.yaml", src)
		if err != nil {
			var problems *strict.Problems
			if !errors.As(err, &problems) || len(problems.List) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			return
		}
		if err := p.CheckLoading(p.Loading()); err != nil {
			t.Fatalf("the plan's own loading is refused: %v", err)
		}
		if p.GoodDeal(p.Loading()).Least < 1e-3 {
			return // it takes its time
		}
		deal, err := Draw(p, p.Loading(), [32]byte{})
		if err != nil {
			t.Fatal(err)
		}
		if why := broken(p, deal); why != "" {
			t.Fatal(why)
		}
	})
}
