package score_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/score"

	"pgregory.net/rapid"
)

// second is a second of the monotonic clock.
const second = int64(1_000_000_000)

// line places one letter a position: T and t targets, D a distractor, B a blank.
func line(letters string) []event.Slot {
	var out []event.Slot
	for i, letter := range letters {
		slot := event.Slot{Position: i + 1, Canister: fmt.Sprintf("%dA", i+1)}
		switch letter {
		case 'T':
			slot.Kind, slot.Odour = event.Target, "tnt"
		case 't':
			slot.Kind, slot.Odour = event.Target, "smokeless-powder"
		case 'D':
			slot.Kind, slot.Odour = event.Distractor, "glove"
		default:
			slot.Kind, slot.Odour = event.Blank, "blank"
		}
		out = append(out, slot)
	}
	return out
}

// walk enters positions one after the other, a second each, from second 11 on.
func walk(positions ...int) []score.Entry {
	var out []score.Entry
	for i, p := range positions {
		out = append(out, score.Entry{Position: p, At: int64(11+i) * second})
	}
	return out
}

// call is a call in a second of the run, which starts at second 10.
func call(at int64, kind event.CallKind, positions ...int) score.CallFact {
	c := score.CallFact{Call: event.Call{Kind: kind}, At: at * second}
	if len(positions) > 0 {
		c.Position = positions[0]
	}
	if len(positions) > 1 {
		c.Other = positions[1]
	}
	return c
}

// unsure makes a call one whose time is inconclusive.
func unsure(c score.CallFact) score.CallFact { c.Inconclusive = true; return c }

// letters are the outcomes in short: hit, miss, false alert, correct rejection, not sampled, inconclusive, void;
// u and o follow a miss with the flag unsearched and time-out.
func letters(r event.RunResult) string {
	short := map[event.Outcome]string{event.Hit: "H", event.Miss: "M", event.FalseAlert: "F", event.CorrectRejection: "C",
		event.NotSampled: "-", event.Inconclusive: "?", event.OutcomeVoid: "v"}
	flags := map[string]string{"": "", score.FlagUnsearched: "u", score.FlagTimeOut: "o"}
	var b strings.Builder
	for _, p := range r.Presentations {
		b.WriteString(short[p.Outcome] + flags[p.Flag])
	}
	return b.String()
}

const (
	lockCall = event.LockCall
	clear    = event.LockClear
	timeOut  = event.LockTimeOut
	finished = event.LockFinished
)

func TestOutcomesDecided(t *testing.T) {
	calls := func(c ...score.CallFact) []score.CallFact { return c }
	for _, c := range []struct {
		name    string
		line    string
		walk    []int
		calls   []score.CallFact
		lock    event.LockReason
		leftOut bool
		several bool
		want    string
		result  string
	}{
		{name: "call at a target", line: "BTB", walk: []int{1, 2}, calls: calls(call(13, event.CallAt, 2)), lock: lockCall, want: "CH-", result: score.Correct},
		{name: "call at none", line: "BDT", walk: []int{1, 2}, calls: calls(call(13, event.CallAt, 2)), lock: lockCall, want: "CF-", result: score.Wrong},
		{name: "call at a target that no beam saw", line: "BT", walk: []int{1}, calls: calls(call(13, event.CallAt, 2)), lock: lockCall, want: "CH", result: score.Correct},
		{name: "all clear, a target passed over", line: "BTD", walk: []int{1, 2, 3}, calls: calls(call(15, event.CallClear)), lock: clear, want: "CMC", result: score.Wrong},
		{name: "all clear, the target never searched", line: "BTD", walk: []int{1, 3}, calls: calls(call(15, event.CallClear)), lock: clear, want: "CMuC", result: score.Wrong},
		{name: "all clear of a clear line", line: "BDB", walk: []int{1, 2}, calls: calls(call(15, event.CallClear)), lock: clear, want: "CC-", result: score.Correct},
		{name: "all clear of a clear line that no beam saw", line: "BB", calls: calls(call(15, event.CallClear)), lock: clear, want: "--", result: score.Correct},
		{name: "first call ends, target passed before", line: "TDB", walk: []int{1, 2}, calls: calls(call(13, event.CallAt, 2)), lock: lockCall, want: "MF-", result: score.Wrong},
		{name: "first call ends, target not reached", line: "BDT", walk: []int{1, 2}, calls: calls(call(13, event.CallAt, 2)), lock: lockCall, want: "CF-", result: score.Wrong},
		{name: "first call ends at one of two targets", line: "TBT", walk: []int{1, 2, 3}, calls: calls(call(14, event.CallAt, 3)), lock: lockCall, want: "MCH", result: score.Wrong},
		{name: "first call ends before the second target", line: "TBT", walk: []int{1}, calls: calls(call(12, event.CallAt, 1)), lock: lockCall, want: "H--", result: score.Correct},
		{name: "first call ends, later calls do not count", line: "BTB", walk: []int{1, 2}, calls: calls(call(14, event.CallAt, 1), call(13, event.CallAt, 2)), lock: lockCall, want: "CH-", result: score.Correct},
		{name: "time-out", line: "BTDB", walk: []int{1, 2, 3}, lock: timeOut, want: "CMoC-", result: score.Wrong},
		{name: "time-out, the target not searched", line: "BTDB", walk: []int{1}, lock: timeOut, want: "CMo--", result: score.Wrong},
		{name: "time-out without a target", line: "BDB", walk: []int{1, 2}, lock: timeOut, want: "CC-", result: score.Correct},
		{name: "time-out, and nothing was seen", line: "BDB", lock: timeOut, want: "---", result: score.Inconclusive},
		{name: "finished asserts the line", line: "BTB", walk: []int{1}, lock: finished, several: true, want: "CMu-", result: score.Wrong},
		{name: "several calls", line: "TBTD", walk: []int{1, 2, 3, 4}, several: true, lock: clear, want: "HCHF", result: score.Wrong,
			calls: calls(call(12, event.CallAt, 1), call(14, event.CallAt, 3), call(15, event.CallAt, 4), call(16, event.CallClear))},
		{name: "several calls, time-out after a hit", line: "TBT", walk: []int{1, 2}, several: true, lock: timeOut, calls: calls(call(12, event.CallAt, 1)), want: "HCMo", result: score.Wrong},
		{name: "between, wrong, one holds a target", line: "BTDB", walk: []int{1, 2, 3}, calls: calls(call(14, event.CallBetween, 2, 3)), lock: lockCall, want: "CMF-", result: score.Wrong},
		{name: "between, wrong, none holds a target: one false alert", line: "BTDB", walk: []int{1, 3, 4}, calls: calls(call(14, event.CallBetween, 4, 3)), lock: lockCall, want: "C-?F", result: score.Wrong},
		{name: "between, wrong, both hold targets", line: "BTT", walk: []int{1, 2, 3}, calls: calls(call(14, event.CallBetween, 2, 3)), lock: lockCall, want: "CMM", result: score.Wrong},
		{name: "between, left out", line: "BTDB", walk: []int{1, 2, 3}, calls: calls(call(14, event.CallBetween, 2, 3)), lock: lockCall, leftOut: true, want: "C??-", result: score.Inconclusive},
		{name: "between, left out, a target passed before", line: "TBDB", walk: []int{1, 2, 3}, calls: calls(call(14, event.CallBetween, 2, 3)), lock: lockCall, leftOut: true, want: "M??-", result: score.Wrong},
		{name: "at none, wrong", line: "BTDB", walk: []int{1, 2, 3}, calls: calls(call(14, event.CallNowhere)), lock: lockCall, want: "?M?-", result: score.Wrong},
		{name: "at none, wrong, no target", line: "BDB", walk: []int{1}, calls: calls(call(14, event.CallNowhere)), lock: lockCall, want: "?--", result: score.Wrong},
		{name: "at none, left out", line: "BTDB", walk: []int{1, 2, 3}, calls: calls(call(14, event.CallNowhere)), lock: lockCall, leftOut: true, want: "???-", result: score.Inconclusive},
		{name: "at none in a run of several calls", line: "TBD", walk: []int{1, 2, 3}, several: true, lock: clear, leftOut: true, want: "H?C", result: score.Inconclusive,
			calls: calls(call(12, event.CallAt, 1), unsure(call(12, event.CallNowhere)), call(13, event.CallClear))},
		{name: "time inconclusive, wrong, at a target", line: "BTD", walk: []int{1, 2, 3}, calls: calls(unsure(call(14, event.CallAt, 2))), lock: lockCall, want: "?M?", result: score.Wrong},
		{name: "time inconclusive, wrong, elsewhere", line: "BTD", walk: []int{1, 2, 3}, calls: calls(unsure(call(14, event.CallAt, 3))), lock: lockCall, want: "?MF", result: score.Wrong},
		{name: "time inconclusive, left out", line: "BTD", walk: []int{1, 2}, calls: calls(unsure(call(14, event.CallAt, 2))), lock: lockCall, leftOut: true, want: "??-", result: score.Inconclusive},
		{name: "all clear, time inconclusive, wrong", line: "BTT", walk: []int{1, 2}, calls: calls(unsure(call(14, event.CallClear))), lock: clear, want: "?MMu", result: score.Wrong},
		{name: "all clear, time inconclusive, left out", line: "BTTB", walk: []int{1, 2}, calls: calls(unsure(call(14, event.CallClear))), lock: clear, leftOut: true, want: "???-", result: score.Inconclusive},
		{name: "void or aborted", line: "BTD", walk: []int{1, 2}, calls: calls(call(13, event.CallAt, 2)), want: "vvv", result: score.Void},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := score.RunFacts{Placement: line(c.line), Calls: c.calls, Entries: walk(c.walk...), HasBeam: []int{1, 2, 3, 4},
				StartedAt: 10 * second, Lock: event.Lock{Reason: c.lock, At: 20 * second}, FirstEnds: !c.several, InconclusivePolicy: event.PolicyWrong}
			if len(c.calls) > 0 && c.lock == lockCall {
				in.Lock.At = 14 * second
			}
			if c.leftOut {
				in.InconclusivePolicy = event.PolicyLeftOut
			}
			got := score.Run(in)
			if letters(got) != c.want || got.Result != c.result {
				t.Errorf("got %s, %s; want %s, %s", letters(got), got.Result, c.want, c.result)
			}
		})
	}
}

func TestSampling(t *testing.T) {
	in := score.RunFacts{
		Placement: line("BBBBTT"), HasBeam: []int{1, 2, 5}, Observed: map[int]bool{2: true, 3: true},
		Entries: walk(1), Calls: []score.CallFact{call(15, event.CallClear)}, Lock: event.Lock{Reason: clear, At: 15 * second},
	}
	var got []string
	for _, p := range score.Run(in).Presentations {
		got = append(got, p.Sampled)
	}
	want := []string{score.SampledYes, score.SampledNo, score.SampledObserved, score.SampledUnknown, score.SampledNo, score.SampledUnknown}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q: where there is a beam the beam decides", got, want)
	}
	// Nothing is assumed of the positions without a beam: no correct rejection, and no target called unsearched.
	if got := letters(score.Run(in)); got != "C-C-MuM" {
		t.Errorf("got %s", got)
	}
}

func TestEntriesAfterTheLockDoNotCount(t *testing.T) {
	in := score.RunFacts{Placement: line("BBT"), HasBeam: []int{1, 2, 3}, Entries: walk(1, 2, 3), FirstEnds: true,
		Calls: []score.CallFact{call(11, event.CallAt, 1)}, Lock: event.Lock{Reason: lockCall, At: 12 * second}}
	if got := letters(score.Run(in)); got != "FC-" {
		t.Errorf("got %s, want the entry at the instant of the lock counted, and the later one not", got)
	}
}

func TestLockInconclusive(t *testing.T) {
	in := score.RunFacts{Placement: line("BTB"), HasBeam: []int{1, 2, 3}, Entries: walk(1, 2),
		Lock: event.Lock{Reason: timeOut, At: 30 * second, Inconclusive: true}, InconclusivePolicy: event.PolicyLeftOut}
	if got := score.Run(in); letters(got) != "??-" || got.Result != score.Inconclusive {
		t.Errorf("got %s, %s", letters(got), got.Result)
	}
}

func TestLatency(t *testing.T) {
	for _, c := range []struct {
		name             string
		beams            []int
		entries          []score.Entry
		calls            []score.CallFact
		started          int64
		entry, fromStart int
	}{
		{"from the first of two entries", []int{1, 2}, []score.Entry{{2, 13 * second}, {2, 12 * second}}, []score.CallFact{call(15, event.CallAt, 2)}, 10 * second, 3000, 5000},
		{"rounded down", []int{2}, []score.Entry{{2, 15*second - 1_999_999}}, []score.CallFact{call(15, event.CallAt, 2)}, 10*second + 1, 1, 4999},
		{"no beam", nil, nil, []score.CallFact{call(15, event.CallAt, 2)}, 10 * second, score.None, 5000},
		{"no entry", []int{1, 2}, []score.Entry{{1, 12 * second}}, []score.CallFact{call(15, event.CallAt, 2)}, 10 * second, score.None, 5000},
		{"entry after the call", []int{1, 2}, []score.Entry{{2, 16 * second}}, []score.CallFact{call(15, event.CallAt, 2)}, 10 * second, score.None, 5000},
		{"an entry by a line that is no beam of the plan", []int{1}, []score.Entry{{2, 12 * second}}, []score.CallFact{call(15, event.CallAt, 2)}, 10 * second, score.None, 5000},
		{"all clear", []int{1, 2}, []score.Entry{{2, 12 * second}}, []score.CallFact{call(15, event.CallClear)}, 10 * second, score.None, 5000},
		{"between", []int{1, 2}, []score.Entry{{2, 12 * second}}, []score.CallFact{call(15, event.CallBetween, 2, 1)}, 10 * second, score.None, 5000},
		{"never started", []int{2}, []score.Entry{{2, 12 * second}}, []score.CallFact{call(15, event.CallAt, 2)}, 0, 3000, score.None},
		{"no call", []int{2}, []score.Entry{{2, 12 * second}}, nil, 10 * second, score.None, score.None},
		{"the first of several", []int{1, 2}, []score.Entry{{1, 11 * second}, {2, 13 * second}}, []score.CallFact{call(15, event.CallAt, 2), call(12, event.CallAt, 1)}, 10 * second, 1000, 2000},
	} {
		got := score.Run(score.RunFacts{Placement: line("BT"), HasBeam: c.beams, Entries: c.entries, Calls: c.calls,
			StartedAt: c.started, Lock: event.Lock{Reason: finished, At: 40 * second}})
		if got.LatencyMS != c.entry || got.SinceStartMS != c.fromStart {
			t.Errorf("%s: got %d and %d ms, want %d and %d", c.name, got.LatencyMS, got.SinceStartMS, c.entry, c.fromStart)
		}
	}
}

// facts draws any facts that an engine could hand over.
func facts(t *rapid.T) score.RunFacts {
	placement := line(rapid.StringMatching(`[TtDB]{1,6}`).Draw(t, "line"))
	n := len(placement)
	position := rapid.IntRange(1, n)
	in := score.RunFacts{
		Placement: placement, StartedAt: 10 * second, Observed: map[int]bool{},
		FirstEnds:          rapid.Bool().Draw(t, "first ends"),
		InconclusivePolicy: rapid.SampledFrom([]event.Policy{event.PolicyWrong, event.PolicyLeftOut}).Draw(t, "policy"),
		HasBeam:            rapid.SliceOfDistinct(position, rapid.ID[int]).Draw(t, "beams"),
		Lock: event.Lock{Reason: rapid.SampledFrom([]event.LockReason{lockCall, clear, timeOut, finished, ""}).Draw(t, "lock"),
			At: rapid.Int64Range(10, 40).Draw(t, "lock at") * second, Inconclusive: rapid.Bool().Draw(t, "lock inconclusive")},
	}
	for _, p := range rapid.SliceOfN(position, 0, 3).Draw(t, "observed") {
		in.Observed[p] = true
	}
	for _, p := range rapid.SliceOfN(position, 0, 8).Draw(t, "entries") {
		in.Entries = append(in.Entries, score.Entry{Position: p, At: rapid.Int64Range(5, 45).Draw(t, "entry at") * second})
	}
	kinds := []event.CallKind{event.CallAt, event.CallClear, event.CallBetween, event.CallNowhere}
	for range rapid.IntRange(0, 4).Draw(t, "calls") {
		c := call(rapid.Int64Range(5, 40).Draw(t, "call at"), rapid.SampledFrom(kinds).Draw(t, "kind"), position.Draw(t, "position"), position.Draw(t, "other"))
		c.Inconclusive = rapid.Bool().Draw(t, "inconclusive")
		in.Calls = append(in.Calls, c)
	}
	return in
}

// TestRunProperties: whatever the facts, targets and non-targets get their own outcomes, one call makes at most one
// false alert, the order of entries does not matter, and the facts are left as they were.
func TestRunProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := facts(t)
		before := fmt.Sprint(in)
		got := score.Run(in)
		falses := 0
		for i, p := range got.Presentations {
			target := p.Kind == event.Target
			ofTargets := p.Outcome == event.Hit || p.Outcome == event.Miss
			ofOthers := p.Outcome == event.FalseAlert || p.Outcome == event.CorrectRejection
			if p.Position != in.Placement[i].Position || ofTargets && !target || ofOthers && target || p.Outcome == "" {
				t.Fatalf("%+v", p)
			}
			if p.Outcome == event.CorrectRejection && p.Sampled != score.SampledYes && p.Sampled != score.SampledObserved {
				t.Fatalf("rejected without being sampled: %+v", p)
			}
			if (p.Outcome == event.OutcomeVoid) != (in.Lock.Reason == "") {
				t.Fatalf("%+v after lock %q", p, in.Lock.Reason)
			}
			if p.Outcome == event.FalseAlert {
				falses++
			}
			if (p.Outcome == event.Miss || p.Outcome == event.FalseAlert) && got.Result != score.Wrong {
				t.Fatalf("%+v in a run that is %s", p, got.Result)
			}
		}
		if falses > len(in.Calls) {
			t.Fatalf("%d calls made %d false alerts", len(in.Calls), falses)
		}
		slices.Reverse(in.Entries)
		if again := score.Run(in); fmt.Sprint(again) != fmt.Sprint(got) {
			t.Fatalf("entries the other way round: %+v, before %+v", again, got)
		}
		slices.Reverse(in.Entries)
		if after := fmt.Sprint(in); after != before {
			t.Fatalf("the facts were changed: %s, before %s", after, before)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	in := score.RunFacts{Placement: line("BDTBBB"), HasBeam: []int{1, 2, 3, 4, 5, 6}, Entries: walk(1, 2, 3, 2, 3), FirstEnds: true,
		Calls: []score.CallFact{call(17, event.CallAt, 3)}, StartedAt: 10 * second, Lock: event.Lock{Reason: lockCall, At: 17 * second}}
	b.ReportAllocs()
	for b.Loop() {
		score.Run(in)
	}
}
