package control

import (
	"strings"
	"testing"

	"scentpost/station/event"
	"scentpost/station/health"
	"scentpost/station/trial"
)

func TestCallText(t *testing.T) {
	for want, call := range map[string]event.Call{
		"alert at 3":            {Kind: event.CallAt, Position: 3},
		"all clear":             {Kind: event.CallClear},
		"alert between 2 and 5": {Kind: event.CallBetween, Position: 5, Other: 2},
		"alert at no position":  {Kind: event.CallNowhere},
	} {
		if got := CallText(call); got != want {
			t.Errorf("%+v is %q, want %q", call, got, want)
		}
	}
}

func TestAirText(t *testing.T) {
	for want, air := range map[string]event.Air{
		"temperature -3.3 °C, relative humidity 45.0 %, pressure 100653.3 Pa, measured 12.5s before": {AgeMS: 12_500, MeasuredAt: 7, Readings: []event.Reading{
			{Quantity: event.Temperature, Milli: -3250}, {Quantity: event.Humidity, Milli: 44_999}, {Quantity: event.Pressure, Milli: 100_653_270}}},
		"temperature 0.0 °C, measured 0s before": {Readings: []event.Reading{{Quantity: event.Temperature, Milli: -49}}},
		"no sample: it is absent":                {Why: "it is absent"},
	} {
		if got := AirText(air); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	out := &strings.Builder{}
	WriteStatus(out, &Status{Session: "s", Phase: trial.Sealed, Air: []event.Air{{Device: "room", Why: "x"}}})
	if !strings.Contains(out.String(), "\nair by room: no sample: x\n") {
		t.Errorf("a status without its air:\n%s", out)
	}
}

// TestWhatComesNext reads what a person is told to do in each state.
func TestWhatComesNext(t *testing.T) {
	running := func(state trial.RunState) trial.View {
		return trial.View{Phase: trial.Sealed, Run: trial.RunView{Index: 1, State: state}}
	}
	for _, c := range []struct {
		view                   trial.View
		failed, blocked, start string
		want                   string
	}{
		{trial.View{Phase: trial.Idle}, "", "", "", "open a session"},
		{trial.View{Phase: trial.Idle}, "", "absent", "", "wait: absent"},
		{trial.View{Phase: trial.Interrupted}, "", "absent", "", "wait: absent"},
		{trial.View{Phase: trial.Interrupted}, "", "", "", "brought back"},
		{trial.View{Phase: trial.Sealed}, "disk", "", "", "the journal failed"},
		{trial.View{Phase: trial.Opened}, "", "", "", "session load"},
		{trial.View{Phase: trial.Loaded}, "", "", "", "session seal --share"},
		{trial.View{Phase: trial.Sealed, Left: 4}, "", "", "", "arm the next run: `session arm` (4 left)"},
		{trial.View{Phase: trial.Sealed, Paused: "rain"}, "", "", "", "paused (rain): `session resume`"},
		{trial.View{Phase: trial.Sealed, Aborted: "ill"}, "", "", "", "wait: the session ends when"},
		{trial.View{Phase: trial.Ended}, "", "", "", "session close"},
		{running(trial.Armed), "", "", "", "being moved"},
		{running(trial.Shown), "", "", "", "session start"},
		{running(trial.Searching), "", "", "", "enter the call"},
		{running(trial.Called), "", "", "", "about to lock"},
		{running(trial.Locked), "", "", "", "being closed"},
		{running(trial.Purging), "", "", "", "being purged"},
		{trial.View{Phase: trial.Sealed, Left: 4}, "", "", "it rains", "the next run cannot start: it rains"},
		{trial.View{Phase: trial.Sealed, Paused: "rain"}, "", "", "it rains", "session resume"},
		{running(trial.Shown), "", "", "it rains", "session start"},
	} {
		if got := next(c.view, c.failed, c.blocked, c.start); !strings.Contains(got, c.want) {
			t.Errorf("%s, %s: %q, want %q", c.view.Phase, c.view.Run.State, got, c.want)
		}
	}
}

func TestConditionText(t *testing.T) {
	c := health.Condition{Code: health.DeviceFault, On: "canister-1a", Title: "A device fails", Severity: health.Fault,
		Evidence: "jammed", Todo: "look at it", Since: 1_700_000_000_000_000_000}
	if got, want := ConditionText(c), "fault: A device fails, canister-1a: jammed, since 2023-11-14 22:13:20Z (look at it)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	c.Until = c.Since + 60_000_000_000
	if got, want := ConditionText(c), "fault: A device fails, canister-1a: jammed, since 2023-11-14 22:13:20Z, over since 2023-11-14 22:14:20Z"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := ConditionText(health.Condition{Title: "Odd", Severity: health.Notice, Todo: "wait"}), "notice: Odd, since 1970-01-01 00:00:00Z (wait)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgressAndStatus(t *testing.T) {
	done := RunStatus{Run: 1, State: trial.Completed, Calls: []string{"alert at 3"}, Result: &event.RunResult{Result: "correct"},
		Placement: []event.Slot{{Position: 1, Kind: event.Blank}, {Position: 3, Kind: event.Target, Odour: "tnt"}}}
	now := RunStatus{Run: 2, State: trial.Called, Calls: []string{"all clear"}}
	s := &Status{Simulated: true, Session: "s1", Plan: "Six", Mode: "double", Dog: "Rex", Handler: "Hari", Scheduled: 3, Seed: event.Alone,
		Run: &now, Runs: []RunStatus{done, now, {Run: 4, State: trial.Voided, Reason: "rain"}}, Next: "wait",
		Verdict: &event.Verdict{Verdict: "pass", Rule: "r", Clauses: []event.Clause{{Name: "hits", Got: "5", Need: "4"}}}}
	if got, want := Progress(s), "[#..] 1/3  run 2 called: all clear  - wait"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	var text strings.Builder
	WriteStatus(&text, s)
	const want = `SIMULATED
[#..] 1/3  run 2 called: all clear  - wait
session s1: Six, double, dog Rex, handler Hari
draw chosen by the station alone
run 1: completed, alert at 3, correct; target tnt at 3
run 2: called, all clear
run 4 (reserve): void (rain)
verdict: pass (r)
  hits: 5, needed 4
`
	if text.String() != want {
		t.Errorf("it reads\n%s\nwant\n%s", &text, want)
	}
	WriteStatus(&text, nil)
	text.Reset()
	WriteStatus(&text, &Status{Phase: trial.Interrupted, Session: "s1", Next: "wait: absent"})
	if got, want := text.String(), "session interrupted  - wait: absent\nsession s1: to be brought back\n"; got != want {
		t.Errorf("interrupted: it reads\n%s\nwant\n%s", got, want)
	}
	if got := Progress(&Status{Next: "open a session"}); got != "no session: open a session" {
		t.Errorf("without a session: %q", got)
	}
}
