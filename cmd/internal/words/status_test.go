package words

import (
	"strings"
	"testing"

	"scentpost/station/control"
	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/readiness"
	"scentpost/station/refusal"
	"scentpost/station/trial"
)

func TestCall(t *testing.T) {
	for want, call := range map[string]control.Call{
		"alert at 3":            {Kind: event.CallAt, Position: 3},
		"all clear":             {Kind: event.CallClear},
		"alert between 2 and 5": {Kind: event.CallBetween, Position: 5, Other: 2},
		"alert at no position":  {Kind: event.CallNowhere},
	} {
		if got := Call(call); got != want {
			t.Errorf("%+v is %q, want %q", call, got, want)
		}
	}
}

func TestAir(t *testing.T) {
	for want, air := range map[string]event.Air{
		"temperature -3.3 °C, relative humidity 45.0 %, pressure 100653.3 Pa, measured 12.5s before": {AgeMS: 12_500, MeasuredAt: 7, Readings: []event.Reading{
			{Quantity: event.Temperature, Milli: -3250}, {Quantity: event.Humidity, Milli: 44_999}, {Quantity: event.Pressure, Milli: 100_653_270}}},
		"temperature 0.0 °C, measured 0s before": {Readings: []event.Reading{{Quantity: event.Temperature, Milli: -49}}},
		"no sample: it is absent":                {Why: "it is absent"},
	} {
		if got := Air(air); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	out := &strings.Builder{}
	WriteStatus(out, &control.Status{Session: "s", Phase: trial.Sealed, Air: []event.Air{{Device: "room", Why: "x"}}})
	if !strings.Contains(out.String(), "\nair by room: no sample: x\n") {
		t.Errorf("a status without its air:\n%s", out)
	}
}

// TestNext reads what a person is told to do.
func TestNext(t *testing.T) {
	for _, c := range []struct {
		status control.Status
		want   string
	}{
		{control.Status{Next: control.NextOpen}, "open a session"},
		{control.Status{Next: control.WaitBlocked, Obstacle: refusal.New(readiness.Starting)}, "wait: no session can be run yet: the station is starting"},
		{control.Status{Next: control.WaitRestored}, "brought back"},
		{control.Status{Next: control.WaitJournal}, "the journal failed"},
		{control.Status{Next: control.NextLoad}, "session load"},
		{control.Status{Next: control.NextSeal}, "session request"},
		{control.Status{Next: control.NextArm, Left: 4}, "arm the next run: `session arm` (4 left)"},
		{control.Status{Next: control.NextResume, Paused: &event.Why{Reason: "rain"}}, "`session resume` goes on (paused: rain)"},
		{control.Status{Next: control.WaitEnd}, "wait: the session ends when"},
		{control.Status{Next: control.NextClose}, "session close"},
		{control.Status{Next: control.NextClose, Aids: &control.Aids{Out: 56}}, "56 went out, then `session close --back N`"},
		{control.Status{Next: control.WaitMoves}, "being moved"},
		{control.Status{Next: control.NextStart}, "session start"},
		{control.Status{Next: control.NextCall}, "enter the call"},
		{control.Status{Next: control.WaitLock}, "about to lock"},
		{control.Status{Next: control.WaitClosed}, "being closed"},
		{control.Status{Next: control.WaitPurged}, "being purged"},
		{control.Status{Next: control.WaitStartable, Obstacle: refusal.New(readiness.EStopHeld)}, "the next run cannot start: the emergency stop is held"},
		{control.Status{Next: "dance"}, "dance"}, // of another version
	} {
		if got := Next(&c.status); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.status.Next, got, c.want)
		}
	}
}

func TestCondition(t *testing.T) {
	c := health.Condition{Code: health.DeviceFault, On: "canister-1a", Title: "A device fails", Severity: health.Fault,
		Evidence: "jammed", Todo: "look at it", Since: 1_700_000_000_000_000_000}
	if got, want := Condition(c), "fault: A device fails, canister-1a: jammed, since 2023-11-14 22:13:20Z (look at it)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	c.Until = c.Since + 60_000_000_000
	if got, want := Condition(c), "fault: A device fails, canister-1a: jammed, since 2023-11-14 22:13:20Z, over since 2023-11-14 22:14:20Z"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	moved := health.Condition{Code: health.DeviceFault, On: "canister-1c", Title: "A device has a fault", Severity: health.Fault, Evidence: "did not close in time", Todo: "look at it"}
	if got, want := Condition(moved), "fault: canister-1c did not close in time, since 1970-01-01 00:00:00Z (look at it)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := Condition(health.Condition{Title: "Odd", Severity: health.Notice, Todo: "wait"}), "notice: Odd, since 1970-01-01 00:00:00Z (wait)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgressAndStatus(t *testing.T) {
	done := control.RunStatus{Run: 1, State: trial.Completed, Calls: []control.Call{{Kind: event.CallAt, Position: 3}}, Result: &event.RunResult{Result: "correct"},
		Placement: []event.Slot{{Position: 1, Kind: event.Blank}, {Position: 3, Kind: event.Target, Odour: "tnt"}}}
	now := control.RunStatus{Run: 2, State: trial.Called, Calls: []control.Call{{Kind: event.CallClear}}}
	s := &control.Status{Simulated: true, Session: "s1", Plan: "Six", Mode: "double", Dog: "Rex", Handler: "Hari", Scheduled: 3, Seed: event.Alone,
		Run: &now, Runs: []control.RunStatus{done, now, {Run: 4, State: trial.Voided, Why: event.Why{Reason: "rain"}}}, Next: control.WaitLock,
		Verdict: &event.Verdict{Verdict: "pass", Rule: "r", Clauses: []event.Clause{{Name: "hits", Got: "5", Need: "4"}},
			Hits: 5, Misses: 1, False: 2, Correct: 18}}
	if got, want := Progress(s), "[#..] 1/3  run 2 called: all clear  - the call is about to lock"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var text strings.Builder
	WriteStatus(&text, s)
	const want = `SIMULATED: anybody may speak as anybody
[#..] 1/3  run 2 called: all clear  - the call is about to lock
session s1: Six, double, dog Rex, handler Hari
draw chosen by the station alone
run 1: completed, alert at 3, correct; target tnt at 3
run 2: called, all clear
run 4 (reserve): void (rain)
verdict: pass (r)
  hits: 5, needed 4
figures: 5 of 6 targets found (83.3 %, 95 % interval 35.9 to 99.6 %), false alerts at 2 of 20 others (10.0 %, 95 % interval 1.2 to 31.7 %)
`
	if text.String() != want {
		t.Errorf("it reads\n%s\nwant\n%s", &text, want)
	}
	if got := Figures(event.Verdict{Verdict: "no rule"}); got != "no presentation was counted" {
		t.Errorf("of nothing: %q", got)
	}
	WriteStatus(&text, nil)
	text.Reset()
	WriteStatus(&text, &control.Status{Phase: trial.Interrupted, Session: "s1", Next: control.WaitBlocked, Obstacle: refusal.New(readiness.Starting)})
	if got, want := text.String(), "session interrupted  - wait: no session can be run yet: the station is starting\nsession s1: to be brought back\n"; got != want {
		t.Errorf("interrupted: it reads\n%s\nwant\n%s", got, want)
	}
	if got := Progress(&control.Status{Next: control.NextOpen}); got != "no session: open a session: `session open`" {
		t.Errorf("without a session: %q", got)
	}
}

func TestClause(t *testing.T) {
	for _, c := range []struct {
		clause event.Clause
		want   string
	}{
		{event.Clause{Name: "hits", Need: "4", Got: "5", Met: true}, "hits: 5, needed 4"},
		{event.Clause{Name: trial.ClauseCompleted, Need: string(event.EndCompleted), Got: string(event.EndNotValid)},
			"Not a valid test: too few valid runs, the reserve was used up."},
		{event.Clause{Name: trial.ClauseCompleted, Need: string(event.EndCompleted), Got: string(event.EndAborted)}, "Not a valid test: the session was aborted."},
	} {
		if got := Clause(c.clause); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
